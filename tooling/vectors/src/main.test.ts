import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const OWN = fileURLToPath(new URL('../../../packages/session/src/noise/noise.vectors.json', import.meta.url));

interface VectorFile {
  readonly vectors: { protocol_name: string; messages: { payload: string; ciphertext: string }[] }[];
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'matryoshka-vectors-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@matryoshka/source', MAIN, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

function fileWith(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test('one JSON line per file, in their order', () => {
  const own = JSON.parse(readFileSync(OWN, 'utf8')) as VectorFile;
  const curve448 = fileWith(
    '448.json',
    JSON.stringify({ vectors: [{ ...own.vectors[0], protocol_name: 'Noise_XX_448_ChaChaPoly_SHA256' }] }),
  );
  const { code, out, err } = run(OWN, curve448);
  const total = own.vectors.length;
  expect(err).toBe('');
  expect(out.split('\n')).toEqual([
    JSON.stringify({ file: OWN, total, passed: total, failed: 0, skipped: 0 }),
    JSON.stringify({ file: curve448, total: 1, passed: 0, failed: 0, skipped: 1 }),
    '',
  ]);
  expect(code).toBe(0);
});

test('a byte that differs, a field that is missing and a protocol that is unknown fail, and are named', () => {
  const { vectors } = JSON.parse(readFileSync(OWN, 'utf8')) as VectorFile;
  const [first, second, third] = vectors;
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few vectors');
  const last = first.messages.at(-1) as { payload: string; ciphertext: string };
  last.ciphertext = (last.ciphertext.startsWith('0') ? '1' : '0') + last.ciphertext.slice(1);
  second.protocol_name = 'Noise_XX_25519_Rot13_SHA256';
  third.messages = [];
  const path = fileWith('broken.json', JSON.stringify({ vectors }));
  const { code, out, err } = run(path);
  expect(JSON.parse(out)).toMatchObject({ total: vectors.length, passed: vectors.length - 3, failed: 3, skipped: 0 });
  expect(err).toMatch(/vector 0 \(Noise_XX_25519_ChaChaPoly_SHA256\): message 7 differs/);
  expect(err).toMatch(/vector 1 .*unknown cipher Rot13/);
  expect(err).toMatch(/vector 2 .*messages/s);
  expect(code).toBe(1);
});

test.each([
  ['missing.json', undefined, /cannot be read/],
  ['text.json', 'vectors', /not JSON/],
  ['array.json', '[]', /not a vector file/],
  ['empty.json', '{"vectors": []}', /not a vector file/],
])('%s is no vector file: its name and the reason, and the other files are still replayed', (name, content, reason) => {
  const path = content === undefined ? join(directory, name) : fileWith(name, content);
  const { code, out, err } = run(path, OWN);
  expect(err).toContain(path);
  expect(err).toMatch(reason);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
});

test('help has an example; a wrong call is 2', () => {
  expect(run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('vectors noise-cacophony.json') as unknown });
  expect(run()).toMatchObject({ code: 2, out: '' });
  expect(run('--what')).toMatchObject({ code: 2, out: '' });
});
