import { createCipheriv } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { detachedProvider } from '../../test/detached-provider.ts';
import { type Aead, type CryptoProvider, type DetachedAead, TAG_LENGTH } from '../crypto.ts';
import { portableProvider } from '../portable/provider.ts';
import type { Random } from '../random.ts';
import { providerContract } from './index.ts';

test('the entry exports exactly this', async () => {
  expect(Object.keys(await import('./index.ts')).sort()).toEqual(['providerContract', 'replayVector']);
});

function replayable(): Random {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 8), Buffer.alloc(16));
  return { fill: (bytes) => bytes.set(stream.update(new Uint8Array(bytes.length))) };
}

/** The names of the cases that `provider` does not meet. */
async function violations(changes: Partial<CryptoProvider>): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of providerContract({ ...portableProvider, ...changes }, replayable(), portableProvider)) {
    try {
      await run();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

function withAead(change: (aead: Aead) => Partial<Aead>): Partial<CryptoProvider> {
  return {
    aead: (suite, key) => {
      const aead = portableProvider.aead(suite, key);
      return {
        seal: (...args) => aead.seal(...args),
        open: (...args) => aead.open(...args),
        wipe: () => aead.wipe(),
        ...change(aead),
      };
    },
  };
}

function withDetached(change: (detached: DetachedAead, aead: Aead) => Partial<DetachedAead>): Partial<CryptoProvider> {
  return detachedProvider(portableProvider, 0, change);
}

describe('the contract of crypto providers', () => {
  test('is met by a provider that does everything', async () => {
    expect(await violations({})).toEqual([]);
  });

  test('is met by a provider that also seals into memory of its own', async () => {
    const detached = detachedProvider(portableProvider, 100);
    const more = providerContract(detached, replayable()).length - providerContract(portableProvider, replayable()).length;
    expect(more).toBe(10);
    expect(await violations(detached)).toEqual([]);
  });

  test('names of cases are unique', () => {
    const names = providerContract(detachedProvider(portableProvider, 0), replayable()).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  const broken: readonly (readonly [what: string, changes: Partial<CryptoProvider>, caught: string])[] = [
    ['opens whatever comes', withAead((aead) => ({ open: (...args) => aead.open(...args) || true })), 'changed in any byte'],
    [
      'ignores associated data',
      withAead((aead) => ({ seal: (nonce, _associated, plaintext, out) => aead.seal(nonce, new Uint8Array(0), plaintext, out) })),
      'seals and opens the vector',
    ],
    [
      'cannot seal in place',
      withAead((aead) => ({
        seal: (nonce, associated, plaintext, out) => {
          out.fill(0);
          return aead.seal(nonce, associated, plaintext, out);
        },
      })),
      'in place and beside it',
    ],
    [
      'overwrites what follows the record',
      withAead((aead) => ({
        seal: (nonce, associated, plaintext, out) => {
          const length = aead.seal(nonce, associated, plaintext, out);
          out.fill(0, length);
          return length;
        },
      })),
      'nothing else',
    ],
    [
      'seals something else into memory of its own',
      withDetached((detached) => ({
        seal: (nonce, plaintext) => {
          const { ciphertext, tag } = detached.seal(nonce, plaintext);
          return { ciphertext, tag: tag.toReversed() };
        },
      })),
      'is what seal() seals',
    ],
    [
      'opens whatever comes into memory of its own',
      withDetached((_detached, aead) => ({
        open: (nonce, ciphertext) => {
          const plaintext = new Uint8Array(Math.max(0, ciphertext.length - TAG_LENGTH));
          aead.open(nonce, new Uint8Array(0), ciphertext, plaintext);
          return plaintext;
        },
      })),
      'detached: does not open',
    ],
    [
      'opens in place where memory of its own was asked for',
      withDetached((_detached, aead) => ({
        open: (nonce, ciphertext) => {
          const record = ciphertext as Uint8Array<ArrayBuffer>;
          return aead.open(nonce, new Uint8Array(0), record, record) ? record.subarray(0, -TAG_LENGTH) : undefined;
        },
      })),
      'an ArrayBuffer of its own',
    ],
    [
      'keeps ciphertext and tag in one piece of memory',
      withDetached((detached) => ({
        seal: (nonce, plaintext) => {
          const { ciphertext, tag } = detached.seal(nonce, plaintext);
          const both = new Uint8Array([...ciphertext, ...tag]);
          return { ciphertext: both.subarray(0, ciphertext.length), tag: both.subarray(ciphertext.length) };
        },
      })),
      'an ArrayBuffer of its own',
    ],
    [
      'seals into memory of its own after it is wiped',
      withDetached((detached) => ({
        seal: (nonce, plaintext) => {
          try {
            return detached.seal(nonce, plaintext);
          } catch (error) {
            if (error instanceof RangeError) throw error;
            return { ciphertext: new Uint8Array(plaintext.length), tag: new Uint8Array(TAG_LENGTH) };
          }
        },
      })),
      'a key that is wiped',
    ],
    ['does not wipe', withAead(() => ({ wipe: () => undefined })), 'until it is wiped'],
    [
      'hands out a subclass of Uint8Array',
      {
        hash: (name) => {
          const hash = portableProvider.hash(name);
          return { ...hash, name, digest: (...parts) => Buffer.from(hash.digest(...parts)), hmac: (...args) => hash.hmac(...args) };
        },
      },
      'digest of abc',
    ],
    [
      'hashes the first part only',
      {
        hash: (name) => {
          const hash = portableProvider.hash(name);
          const { length, blockLength } = hash;
          return {
            name,
            length,
            blockLength,
            digest: (first = new Uint8Array(0)) => hash.digest(first),
            hmac: (...args) => hash.hmac(...args),
          };
        },
      },
      'parts are hashed one after the other',
    ],
    [
      'throws for points of low order',
      {
        dhKeyPair: (secret) => {
          const pair = portableProvider.dhKeyPair(secret);
          return {
            publicKey: pair.publicKey,
            wipe: () => pair.wipe(),
            shared: (publicKey) => {
              const shared = pair.shared(publicKey);
              if (shared.every((byte) => byte === 0)) throw new Error('low order');
              return shared;
            },
          };
        },
      },
      'low order gives zeros',
    ],
    [
      'reveals a ciphertext nobody made',
      {
        kemKeyPair: (seed) => {
          const pair = portableProvider.kemKeyPair(seed);
          return {
            publicKey: pair.publicKey,
            wipe: () => pair.wipe(),
            decapsulate: (ciphertext) => (ciphertext.every((byte) => byte === 0) ? new Uint8Array(32) : pair.decapsulate(ciphertext)),
          };
        },
      },
      'nobody made',
    ],
    [
      'encapsulates to a malformed key',
      {
        kemEncapsulate: (publicKey, random) => {
          try {
            return portableProvider.kemEncapsulate(publicKey, random);
          } catch (error) {
            if (error instanceof RangeError) throw error;
            return { ciphertext: new Uint8Array(1088), shared: new Uint8Array(32) };
          }
        },
      },
      'modulus check',
    ],
    [
      'verifies as ZIP 215 allows',
      {
        verify: (publicKey, message, signature) =>
          publicKey.length === 32 && signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: true }),
      },
      'A the identity is false',
    ],
    [
      'verifies with the cofactor',
      {
        verify: (publicKey, message, signature) =>
          publicKey.length === 32 && signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false }),
      },
      'R + T is false',
    ],
  ];
  test.each(broken)('catches a provider that %s', async (_what, changes, caught) => {
    expect(await violations(changes)).toContainEqual(expect.stringContaining(caught));
  });
});
