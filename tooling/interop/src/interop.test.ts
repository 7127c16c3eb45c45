import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const PYTHON = fileURLToPath(new URL('../python/', import.meta.url));
const COMMITTED = fileURLToPath(new URL('../../../packages/session/src/noise/', import.meta.url));

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.info('The independent implementation does not run: there is no python3 here.');
const vectors = process.env['MATRYOSHKA_VECTORS'];
if (vectors === undefined)
  console.info('Its ML-KEM is not checked against Wycheproof: MATRYOSHKA_VECTORS names no directory with wycheproof_mlkem_768_test.json.');

function python(script: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('python3', ['-B', join(PYTHON, script), ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('the independent implementation', () => {
  test.runIf(hasPython)('makes exactly the vectors that the session package replays', () => {
    const directory = mkdtempSync(join(tmpdir(), 'matryoshka-interop-'));
    try {
      python('make_vectors.py', directory);
      for (const file of ['noise.vectors.json', 'hfs.vectors.json', 'patterns.digests.json']) {
        expect(
          readFileSync(join(directory, file), 'utf8') === readFileSync(join(COMMITTED, file), 'utf8'),
          `${file} is what the script makes`,
        ).toBe(true);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.runIf(hasPython && vectors !== undefined)('has an ML-KEM-768 that passes Wycheproof', () => {
    const files = ['wycheproof_mlkem_768_test.json', 'wycheproof_mlkem_768_encaps_test.json'].map((file) => join(vectors as string, file));
    const lines = python('check_mlkem.py', ...files)
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject(files.map((file) => ({ file, failed: [] })));
  });
});
