import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './workspace.ts';

// R1 to R18, the rules of relaying, are tests named after them: in simulated networks, where everything can be asked, and
// over real sockets, where it has to work.

const RULES = Array.from({ length: 18 }, (_, i) => `R${i + 1}`);
const OVER_SOCKETS = /(?:-sockets\.test|\.e2e\.test)\.ts$/;

/** The rules that titles of tests, and of groups of them, name. */
function named(source: string): string[] {
  const titles = [...source.matchAll(/\b(?:test|describe)(?:\.each\([^)]*\))?\(\s*(['"`])((?:(?!\1)[^\n])*)/g)].map(
    ([, , title]) => title as string,
  );
  return titles.flatMap((title) => title.match(/\bR(?:1[0-8]|[1-9])\b/g) ?? []);
}

function rulesIn(isWanted: (path: string) => boolean): Set<string> {
  const paths = globSync('{packages,apps,tooling}/*/{src,test}/**/*.test.ts', { cwd: ROOT }).filter(isWanted);
  return new Set(paths.flatMap((path) => named(readFileSync(join(ROOT, path), 'utf8'))));
}

test.each([
  ['over real sockets', (path: string) => OVER_SOCKETS.test(path)],
  ['apart from that', (path: string) => !OVER_SOCKETS.test(path)],
])('each of R1 to R18 is a test named after it, %s', (_where, isWanted) => {
  const found = rulesIn(isWanted);
  expect(RULES.filter((rule) => !found.has(rule))).toEqual([]);
});

test('a name is found in a title, and nowhere else', () => {
  expect(named("test('R1 serving', () => {});\ndescribe.each([1])('R12, R3 of %s', () => {}); // R5\nconst R7 = 'R8';")).toEqual([
    'R1',
    'R12',
    'R3',
  ]);
});
