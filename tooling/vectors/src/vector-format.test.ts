import { readFileSync } from 'node:fs';
import { portableProvider } from '@matryoshka/session';
import { type NoiseVector, replayVector } from '@matryoshka/session/contract';
import { describe, expect, test } from 'vitest';
import { namesNoiseProtocol, readVector } from './vector-format.ts';

const FILE = new URL('../../../packages/session/src/noise/noise.vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly vectors: readonly NoiseVector[] };
const named = (pattern: string): NoiseVector =>
  vectors.find(({ protocol_name }) => protocol_name === `Noise_${pattern}_25519_AESGCM_SHA256`) as NoiseVector;

function outcomeOf(value: unknown): unknown {
  const read = readVector(value);
  return read.type === 'vector' ? replayVector(portableProvider, read.vector) : read;
}

describe('the same vector in the words of', () => {
  const { protocol_name, ...rest } = named('XX');
  const parts = { pattern: 'XX', dh: '25519', cipher: 'AESGCM', hash: 'SHA256' };

  test.each([
    ['cacophony', { protocol_name, ...rest, init_psks: [], resp_psks: [] }],
    ['noise-c', { name: protocol_name, ...parts, fallback: false, ...rest }],
    ['noise-c, with a name for people', { name: 'XX, again', protocol_name, ...parts, ...rest }],
    ['parts', { ...parts, ...rest }],
    ['somebody who says what is not there', { protocol_name, ...rest, init_psks: null, init_remote_static: '', handshake_hash: null }],
    ['somebody with fields of their own', { protocol_name, ...rest, comment: 'first', number: 1 }],
    ['somebody who writes capitals', { protocol_name, ...rest, handshake_hash: rest.handshake_hash?.toUpperCase() }],
  ])('%s', (_who, vector) => {
    expect(namesNoiseProtocol(vector)).toBe(true);
    expect(outcomeOf(vector)).toEqual({ type: 'passed' });
  });

  test('one psk that is not in a list, and static keys named for their owner', () => {
    const { init_psks, resp_psks, init_remote_static, resp_remote_static, ...others } = named('Kpsk0');
    const vector = {
      ...others,
      init_psk: init_psks?.[0],
      resp_psk: resp_psks?.[0],
      init_public_static: resp_remote_static,
      resp_public_static: init_remote_static,
    };
    expect(outcomeOf(vector)).toEqual({ type: 'passed' });
    expect(outcomeOf({ ...vector, resp_psk: '00'.repeat(32) })).toMatchObject({ type: 'failed', reason: 'the handshake failed' });
  });

  test('several psks, all of which matter, and in this order', () => {
    const vector = named('XXpsk0+psk1+psk2+psk3');
    const psks = vector.init_psks as readonly string[];
    expect(psks).toHaveLength(4);
    expect(outcomeOf(vector)).toEqual({ type: 'passed' });
    const swapped = [psks[1], psks[0], psks[2], psks[3]];
    expect(outcomeOf({ ...vector, init_psks: swapped, resp_psks: swapped })).toMatchObject({ type: 'failed' });
    expect(outcomeOf({ ...vector, init_psks: psks.slice(1) })).toMatchObject({ reason: expect.stringContaining('takes 4') as unknown });
    expect(outcomeOf({ ...vector, init_psks: psks.slice(1), fail: true })).toEqual({ type: 'passed' });
  });
});

describe('what cannot be replayed is no crash', () => {
  test.each([
    ['the fallback modifier', { ...named('XX'), fallback: true }, 'skipped', /fallback/],
    ['a second symmetric key', { ...named('XX'), init_ssk: '00' }, 'skipped', /SSK/],
    ['another curve', { ...named('XX'), protocol_name: 'Noise_XX_448_AESGCM_SHA256' }, 'skipped', /key agreement 448/],
    [
      'another KEM',
      {
        ...named('XX'),
        protocol_name: undefined,
        name: undefined,
        pattern: 'XXhfs',
        dh: '25519',
        hybrid: 'NewHope',
        cipher: 'AESGCM',
        hash: 'SHA256',
      },
      'skipped',
      /25519\+NewHope/,
    ],
    ['no messages', { protocol_name: 'Noise_XX_25519_AESGCM_SHA256' }, 'failed', /messages/],
    ['messages that are none', { ...named('XX'), messages: [{ payload: 1 }] }, 'failed', /ciphertext/],
    ['no name', { messages: [] }, 'failed', /messages/],
    ['a number', 5, 'failed', /object/],
    ['nothing', null, 'failed', /object/],
  ])('%s', (_what, value, type, reason) => {
    expect(outcomeOf(value)).toMatchObject({ type, reason: expect.stringMatching(reason) as unknown });
  });
});
