import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, repositoryFiles } from './workspace.ts';

/** What must not be in the repository, and why. This file is the only one that may hold it. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.])\/(?:work|root|home\/\w+|Users\/\w+)\//, 'a path of one machine'],
  [/https?:\/\/(?:registry\.|npm\.|[^/\s]*(?:artifactory|verdaccio|nexus|npmmirror))/i, 'the host of a package registry'],
  [/\bissues? #\d+|\bPR #\d+/i, 'a number that means nothing in a copy of the repository'],
  [/\b(?:TODO|FIXME|XXX|HACK)\b/, 'work that is left'],
  [/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, 'a private key'],
];
const SELF = 'tooling/checks/src/words.test.ts';
const MAX_FILE_LENGTH = 2_000_000;

function faults(path: string): readonly string[] {
  const file = join(ROOT, path);
  if (statSync(file).size > MAX_FILE_LENGTH) return [];
  const text = readFileSync(file, 'utf8');
  if (text.includes('\0')) return [];
  return text
    .split('\n')
    .flatMap((line, index) => forbiddenIn(line).map((why) => `${path}:${index + 1}: ${why}: ${line.trim().slice(0, 120)}`));
}

function forbiddenIn(line: string): readonly string[] {
  const found = FORBIDDEN.filter(([pattern]) => pattern.test(line)).map(([, why]) => why);
  if (line.includes(`${ROOT}/`)) found.push('a path of this machine');
  return found;
}

describe('words', () => {
  test('nothing in the repository belongs to one machine or to a conversation', () => {
    const files = repositoryFiles().filter((path) => path !== SELF);
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(faults)).toEqual([]);
  });

  test.each(['cd /root/x', 'https://registry.example.org/wire', 'see issue #12', '// TODO: later', `${ROOT}/package.json`])(
    '%s is found',
    (line) => {
      expect(forbiddenIn(line).length).toBeGreaterThan(0);
    },
  );

  test.each(['apps/root/x', 'https://example.org', 'R12', 'docs/protocol.md §10'])('%s is not', (line) => {
    expect(forbiddenIn(line)).toEqual([]);
  });
});
