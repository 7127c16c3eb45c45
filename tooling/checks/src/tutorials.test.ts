import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fences } from './markdown.ts';
import { fenceFault, runFence } from './run-fence.ts';
import { ROOT } from './workspace.ts';

// A tutorial is one program, told in pieces: they run together, in their order, as a user of the node would run them.
const FOLDER = join(ROOT, 'packages', 'node');
const paths = globSync('docs/tutorials/*.md', { cwd: ROOT }).toSorted();

/** The code of a tutorial, piece by piece. */
function pieces(path: string): readonly string[] {
  return fences(readFileSync(join(ROOT, path), 'utf8'))
    .filter(({ language }) => language === 'ts')
    .map(({ code }) => code);
}

test('there are tutorials', () => {
  expect(paths.map((path) => basename(path))).toContain('write-a-routing-policy.md');
});

test.each(paths)('%s: its code runs, and prints what its comments say', { timeout: 120_000 }, async (path) => {
  const program = pieces(path).join('\n');
  expect(program).not.toBe('');
  expect(fenceFault(program, await runFence(program, FOLDER, { source: true }))).toBeUndefined();
});

describe('write-a-routing-policy.md', () => {
  test('writes one in less than 30 lines', () => {
    const [policy] = pieces('docs/tutorials/write-a-routing-policy.md');
    expect(policy).toContain('selectNextHop');
    expect(policy?.trimEnd().split('\n').length).toBeLessThan(30);
  });
});
