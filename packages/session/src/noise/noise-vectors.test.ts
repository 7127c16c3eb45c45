import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { portableProvider } from '../portable/provider.ts';
import hybrid from './hfs.vectors.json' with { type: 'json' };
import plain from './noise.vectors.json' with { type: 'json' };
import { type NoiseVector, type VectorOutcome, replayVector } from './vector-replay.ts';

const cacophony = join(process.env['MATRYOSHKA_VECTORS'] ?? '', 'noise-cacophony.json');
const hasCacophony = process.env['MATRYOSHKA_VECTORS'] !== undefined && existsSync(cacophony);
if (!hasCacophony)
  console.info('The public Noise vectors are not replayed: MATRYOSHKA_VECTORS names no directory with noise-cacophony.json.');

const own: readonly NoiseVector[] = [...plain.vectors, ...hybrid.vectors];
const replay = (vector: NoiseVector): VectorOutcome => replayVector(portableProvider, vector);

describe('vectors of an independent implementation (tooling/interop)', () => {
  test.each(own.map((vector): [string, NoiseVector] => [vector.protocol_name, vector]))('%s', (_name, vector) => {
    expect(replay(vector)).toEqual({ type: 'passed' });
  });

  const vector = own.find((candidate) => candidate.protocol_name === 'Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_SHA256') as NoiseVector;

  test.each([
    ['init_prologue', '00'],
    ['init_psks', ['00'.repeat(32)]],
    ['init_psks', []],
    ['resp_psks', ['00'.repeat(32)]],
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
  ])('another %s is noticed, and right where the vector is to fail', (field, value) => {
    const changed = { ...vector, [field]: value };
    expect(replay(changed)).toEqual({
      type: 'failed',
      reason: expect.stringMatching(/differs|lacks|only|not hexadecimal|expected|takes 1 pre-shared keys|the handshake failed/) as unknown,
    });
    expect(replay({ ...changed, fail: true })).toEqual({ type: 'passed' });
  });

  test('a vector that is to fail, and does not, fails', () => {
    expect(replay({ ...vector, fail: true })).toEqual({ type: 'failed', reason: 'it is expected to fail, and succeeds' });
  });

  test.each([
    ['Noise_XX_448_ChaChaPoly_SHA256', 'unknown key agreement 448'],
    ['Noise_XXhfs_25519+Kyber1024_ChaChaPoly_SHA256', 'unknown key agreement 25519+Kyber1024'],
    ['Noise_XX_25519_Rot13_SHA256', 'unknown cipher Rot13'],
    ['Noise_XX_25519_AESGCM_MD5', 'unknown hash MD5'],
    ['Noise_XXfallback_25519_AESGCM_SHA256', 'unknown modifier "fallback" in pattern XXfallback'],
    ['Noise_QQ_25519_AESGCM_SHA256', 'unknown handshake pattern "QQ"'],
    ['NoisePSK_XX_25519_AESGCM_SHA256', 'not of the form Noise_PATTERN_DH_CIPHER_HASH'],
  ])('%s is skipped, wrong on purpose or not', (name, reason) => {
    expect(replay({ ...vector, protocol_name: name })).toEqual({ type: 'skipped', reason });
    expect(replay({ ...vector, protocol_name: name, fail: true })).toEqual({ type: 'skipped', reason });
  });
});

describe('public vectors', () => {
  test.runIf(hasCacophony)('cacophony: every X25519 vector passes, every X448 vector is skipped', () => {
    const file = JSON.parse(readFileSync(cacophony, 'utf8')) as { readonly vectors: readonly NoiseVector[] };
    const outcomes = file.vectors.map(replay);
    expect(outcomes.filter(({ type }) => type === 'passed')).toHaveLength(472);
    expect(outcomes.filter((outcome) => outcome.type === 'skipped' && outcome.reason === 'unknown key agreement 448')).toHaveLength(472);
  });
});
