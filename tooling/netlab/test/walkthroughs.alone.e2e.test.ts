import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missing } from '../src/lab/missing.ts';
import { playWalkthrough } from '../src/walkthrough/play-walkthrough.ts';
import { parseWalkthrough } from '../src/walkthrough/walkthrough.ts';

// Documents that are told in the command line, typed line by line on machines of their own.

const ROOT = join(import.meta.dirname, '..', '..', '..');
const lacks = missing();
const unless = lacks.length === 0 ? '' : ` (this machine lacks ${lacks.join(', ')})`;
if (unless !== '') console.log(`documents told in the command line are not tested${unless}`);

const documents = ['README.md', ...globSync('docs/tutorials/*.md', { cwd: ROOT }).toSorted()].flatMap((path) => {
  const walkthrough = parseWalkthrough(readFileSync(join(ROOT, path), 'utf8'));
  return walkthrough === undefined ? [] : [{ path, walkthrough }];
});

test('there are some', () => {
  expect(documents.length).toBeGreaterThan(1);
});

describe.skipIf(lacks.length > 0)(`everything that is typed${unless}`, { concurrent: true }, () => {
  test('is found not to be so, with the line: other output, a command that fails, one that does not', async ({ expect }) => {
    const play = (commands: readonly string[], output?: readonly string[]): Promise<void> =>
      playWalkthrough({ drawing: 'internet\n└─ A 66.171.45.90', steps: [{ machine: 'A', line: 7, commands, ...(output && { output }) }] });
    await Promise.all([
      play(['mkdir x && cd x', 'echo begun && sleep 60 &', 'basename $PWD; kill %1'], ['begun', 'x']),
      expect(play(['echo one'], ['two'])).rejects.toThrow('line 7, on A:\n$ echo one\none\n(exit code 0)\nand not:\ntwo'),
      expect(play(['false'])).rejects.toThrow('line 7, on A:\n$ false\n(exit code 1)'),
      expect(play(['true # fails'])).rejects.toThrow('line 7, on A'),
    ]);
  });

  test.for(documents)('$path: works, and prints what it says', { timeout: 300_000 }, async ({ walkthrough }) => {
    await playWalkthrough(walkthrough);
  });
});
