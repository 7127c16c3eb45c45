import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { portableProvider } from '../portable/provider.ts';
import hybrid from './hfs.vectors.json' with { type: 'json' };
import plain from './noise.vectors.json' with { type: 'json' };
import { type NoiseVector, replayVector } from './vector-replay.ts';

const directory = process.env['MATRYOSHKA_VECTORS'];
if (directory === undefined)
  console.info('The public Noise vectors are not replayed: MATRYOSHKA_VECTORS names no directory with noise-cacophony.json.');

const own: readonly NoiseVector[] = [...plain.vectors, ...hybrid.vectors];

describe('vectors of an independent implementation (tooling/interop)', () => {
  test.each(own.map((vector): [string, NoiseVector] => [vector.protocol_name, vector]))('%s', (_name, vector) => {
    expect(replayVector(portableProvider, vector)).toBe('passed');
  });

  const vector = own.find((candidate) => candidate.protocol_name === 'Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_SHA256') as NoiseVector;

  test.each([
    ['init_prologue', '00'],
    ['init_psks', ['00'.repeat(32)]],
    ['init_static', '01'.repeat(32)],
    ['init_ephemeral', '01'.repeat(32)],
    ['init_kem_seed', '01'.repeat(64)],
    ['resp_static', '01'.repeat(32)],
    ['resp_ephemeral', '01'.repeat(32)],
    ['resp_kem_randomness', '01'.repeat(32)],
    ['handshake_hash', '01'.repeat(32)],
    ['messages', vector.messages.slice(0, 2)],
    ['messages', vector.messages.map((message) => ({ ...message, payload: `${message.payload}00` }))],
    ['messages', vector.messages.map((message, index) => (index < 6 ? message : { ...message, ciphertext: `${message.ciphertext}00` }))],
    ['resp_kem_randomness', undefined],
    ['init_ephemeral', 'zz'.repeat(32)],
    ['init_ephemeral', '00'],
  ])('another %s is noticed', (field, value) => {
    expect(() => replayVector(portableProvider, { ...vector, [field]: value })).toThrow(/differs|lacks|only|not hexadecimal|expected/);
  });
});

describe('public vectors', () => {
  test.runIf(directory !== undefined)('cacophony: every X25519 vector passes, every X448 vector is skipped', () => {
    const file = JSON.parse(readFileSync(join(directory as string, 'noise-cacophony.json'), 'utf8')) as {
      readonly vectors: readonly NoiseVector[];
    };
    const results = file.vectors.map((vector) => replayVector(portableProvider, vector));
    expect(results.filter((result) => result === 'passed')).toHaveLength(472);
    expect(results.filter((result) => result === 'skipped')).toHaveLength(472);
  });
});
