import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity } from '@matryoshka/session';
import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { MatryoshkaError } from '@matryoshka/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileGuards } from './file-guards.ts';

const guards = [1, 2, 3].map((seed) => ({
  peerId: createIdentity(simulatedProvider(), seededRandom(seed)).peerId,
  untilUnixMs: 1_800_000_000_000 + seed,
}));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-guards-'));
  file = join(folder, 'guards.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('guards in a file are there again, in their order', () => {
  const store = fileGuards(file);
  expect([...store.load()]).toEqual([]);
  store.save(guards);
  store.save(guards.slice(1));
  expect([...fileGuards(file).load()]).toEqual(guards.slice(1));
  expect(readdirSync(folder)).toEqual(['guards.json']);
});

test.each([
  ['cut off', (text: string) => text.slice(0, 60)],
  ['no peer', (text: string) => text.replace('mtk1', 'mtk2')],
  ['something else', () => '{"version":2}'],
])('a file that is damaged (%s) is an error that names it: nobody loses guards without a word', (_what, damage) => {
  fileGuards(file).save(guards);
  writeFileSync(file, damage(readFileSync(file, 'utf8')));
  expect(() => fileGuards(file)).toThrow(MatryoshkaError);
  expect(() => fileGuards(file)).toThrow(file);
});

test('what cannot be written is said', () => {
  const store = fileGuards(join(folder, 'missing', 'guards.json'));
  expect(() => store.save(guards)).toThrow(MatryoshkaError);
});
