import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CryptoProvider } from './crypto.ts';
import { freshKeyPairs, type KeyPairSource } from './key-pair-source.ts';
import { KeyExchange, answerKeyExchange, nextKey } from './key-update.ts';
import { portableProvider as provider } from './portable/provider.ts';
import type { Random } from './random.ts';

// docs/protocol.md §4.4.

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** AES-CTR under a fixed key: the same bytes in every run. */
function replayable(seed: number): Random {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  return { fill: (bytes) => bytes.set(stream.update(new Uint8Array(bytes.length))) };
}

function hmac(key: Uint8Array, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

function exchange(seed: number): { initiator: KeyExchange; random: Random; source: KeyPairSource } {
  const random = replayable(seed);
  const source = freshKeyPairs(provider, random);
  return { initiator: new KeyExchange(source), random, source };
}

describe('the next key of a direction', () => {
  test('is an HMAC under the one before, with a label of its own where an exchange is mixed in', () => {
    const secret = new Uint8Array(32).fill(7);
    expect(nextKey(provider, KEY)).toEqual(hmac(KEY, 'matryoshka key update'));
    expect(nextKey(provider, KEY, secret)).toEqual(hmac(KEY, 'matryoshka key exchange', secret));
  });
});

describe('a key exchange', () => {
  test('gives both sides the same secret, of both key agreements and all that was sent', () => {
    const { initiator, random, source } = exchange(1);
    const { request } = initiator;
    expect([request.dhKey.length, request.kemKey.length]).toEqual([32, 1184]);
    const shared: Uint8Array[] = [];
    const spied: CryptoProvider = {
      ...provider,
      kemEncapsulate: (key, from) => {
        const result = provider.kemEncapsulate(key, from);
        shared[1] = result.shared.slice();
        return result;
      },
    };
    const spiedSource: KeyPairSource = {
      ...source,
      dhKeyPair: () => {
        const pair = source.dhKeyPair();
        return {
          publicKey: pair.publicKey,
          wipe: () => pair.wipe(),
          shared: (key) => {
            const result = pair.shared(key);
            shared[0] = result.slice();
            return result;
          },
        };
      },
    };
    const { answer, secret } = answerKeyExchange(spied, random, spiedSource, request);
    expect([answer.dhKey.length, answer.ciphertext.length]).toEqual([32, 1088]);
    const transcript = createHash('sha256').update(request.dhKey).update(request.kemKey).update(answer.dhKey).update(answer.ciphertext);
    expect(secret).toEqual(hmac(transcript.digest(), ...shared));
    expect(initiator.finish(provider, answer)).toEqual(secret);
  });

  test('gives another secret each time', () => {
    const { initiator, random, source } = exchange(2);
    const [first, second] = [0, 1].map(() => answerKeyExchange(provider, random, source, initiator.request).secret);
    expect(first).not.toEqual(second);
  });

  test.each(['dhKey', 'ciphertext'] as const)('agrees on nothing where the %s of the answer was changed', (field) => {
    const { initiator, random, source } = exchange(3);
    const { answer, secret } = answerKeyExchange(provider, random, source, initiator.request);
    const changed = { ...answer, [field]: answer[field].map((byte, index) => (index === 5 ? byte ^ 1 : byte)) };
    expect(initiator.finish(provider, changed)).not.toEqual(secret);
  });

  test('overwrites its key pairs and shared secrets once they have been used, or are not going to be', () => {
    const { random, source } = exchange(4);
    const secrets: Uint8Array[] = [];
    const wiped: string[] = [];
    const watch = (secret: Uint8Array): Uint8Array => secrets[secrets.push(secret) - 1] as Uint8Array;
    const watching: KeyPairSource = {
      dhKeyPair: () => {
        const pair = source.dhKeyPair();
        return { publicKey: pair.publicKey, shared: (key) => watch(pair.shared(key)), wipe: () => void wiped.push('dh') };
      },
      kemKeyPair: () => {
        const pair = source.kemKeyPair();
        return { publicKey: pair.publicKey, decapsulate: (text) => watch(pair.decapsulate(text)), wipe: () => void wiped.push('kem') };
      },
    };
    const initiator = new KeyExchange(watching);
    const { answer } = answerKeyExchange(provider, random, watching, initiator.request);
    expect(wiped).toEqual(['dh']);
    initiator.finish(provider, answer);
    expect(wiped).toEqual(['dh', 'dh', 'kem']);
    expect(secrets).toEqual([0, 1, 2].map(() => new Uint8Array(32)));
    new KeyExchange(watching).wipe();
    expect(wiped.slice(3)).toEqual(['dh', 'kem']);
  });

  test('a malformed ML-KEM key is what a peer sent, not a handshake that failed', () => {
    const { random, source, initiator } = exchange(5);
    const request = { ...initiator.request, kemKey: new Uint8Array(1184).fill(0xff) };
    const invalid = expect.objectContaining({ code: 'wire.invalid' }) as Error;
    expect(() => answerKeyExchange(provider, random, source, request)).toThrow(invalid);
  });
});
