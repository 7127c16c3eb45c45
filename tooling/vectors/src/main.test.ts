import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
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

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Run {
  return runWith(undefined, ...args);
}

function runWith(vectors: string | undefined, ...args: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@matryoshka/source', MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, MATRYOSHKA_VECTORS: vectors },
  });
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
    JSON.stringify({ file: curve448, total: 1, passed: 0, failed: 0, skipped: 1, skippedBecause: { 'unknown key agreement 448': 1 } }),
    '',
  ]);
  expect(code).toBe(0);
});

test('a byte that differs and a field that is missing fail, and are named; a protocol that is unknown is skipped', () => {
  const { vectors } = JSON.parse(readFileSync(OWN, 'utf8')) as VectorFile;
  const [first, second, third] = vectors;
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few vectors');
  const last = first.messages.at(-1) as { payload: string; ciphertext: string };
  last.ciphertext = (last.ciphertext.startsWith('0') ? '1' : '0') + last.ciphertext.slice(1);
  second.protocol_name = 'Noise_XX_25519_Rot13_SHA256';
  third.messages = [];
  const path = fileWith('broken.json', JSON.stringify({ vectors }));
  const { code, out, err } = run(path);
  expect(JSON.parse(out)).toEqual({
    file: path,
    total: vectors.length,
    passed: vectors.length - 3,
    failed: 2,
    skipped: 1,
    skippedBecause: { 'unknown cipher Rot13': 1 },
  });
  expect(err).toMatch(/vector 0 \(Noise_XX_25519_ChaChaPoly_SHA256\): message 7 differs/);
  expect(err).toMatch(/vector 2 .*messages/s);
  expect(err).not.toMatch(/vector 1 /);
  expect(code).toBe(1);
});

test('a folder: its vector files, and those of the folders in it, in order; files about something else are passed over', () => {
  const folder = join(directory, 'folder');
  mkdirSync(join(folder, 'inner'), { recursive: true });
  copyFileSync(OWN, join(folder, 'b.txt'));
  copyFileSync(OWN, join(folder, 'inner', 'a.json'));
  writeFileSync(join(folder, 'other.json'), '{"testGroups": []}');
  writeFileSync(join(folder, 'README.txt'), 'about these files');
  const files = (out: string): unknown[] =>
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { file: string }).file);
  const named = run(folder);
  expect(named).toMatchObject({ code: 0, err: '' });
  expect(files(named.out)).toEqual([join(folder, 'b.txt'), join(folder, 'inner', 'a.json')]);

  const fromEnvironment = runWith([join(folder, 'inner'), OWN].join(delimiter));
  expect(fromEnvironment).toMatchObject({ code: 0, err: '' });
  expect(files(fromEnvironment.out)).toEqual([join(folder, 'inner', 'a.json'), OWN]);

  writeFileSync(join(folder, 'cut.json'), '{"vectors": [');
  expect(run(folder)).toMatchObject({ code: 1, err: expect.stringMatching(/cut\.json: not JSON/) as unknown });
  mkdirSync(join(directory, 'nothing'));
  expect(run(join(directory, 'nothing'))).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nothing to replay') as unknown });
});

const shared = process.env['MATRYOSHKA_VECTORS'];
test.runIf(shared !== undefined)('no public vector in MATRYOSHKA_VECTORS fails', { timeout: 300_000 }, () => {
  const { code, out, err } = runWith(shared);
  expect(err).toBe('');
  expect(out).not.toBe('');
  expect(code).toBe(0);
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
