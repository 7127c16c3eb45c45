import { createCipheriv } from 'node:crypto';
import { type CryptoProvider, type Random, portableProvider } from '@matryoshka/session';
import { providerContract } from '@matryoshka/session/contract';
import { describe, expect, test } from 'vitest';
import { DER, RAW, nativeKem } from './ml-kem.ts';
import { loadNativeProvider, nativeProvider } from './provider.ts';
import { loadSodium } from './sodium.ts';

/** AES-CTR under a fixed key: the same bytes in every run. */
function replayable(): Random {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), Buffer.alloc(16));
  return { fill: (bytes) => bytes.set(stream.update(new Uint8Array(bytes.length))) };
}

function load(nodeCipherFromBytes?: number): CryptoProvider {
  const provider = loadNativeProvider(nodeCipherFromBytes === undefined ? {} : { nodeCipherFromBytes });
  if (provider === undefined) throw new Error('sodium-native could not be loaded here');
  return provider;
}

describe('the native provider', () => {
  test.each(providerContract(load(), replayable(), portableProvider))('$name', ({ run }) => run());
});

describe.each([
  ['libsodium alone', Infinity],
  ['OpenSSL alone', 0],
])('ChaCha20-Poly1305 of %s', (_who, nodeCipherFromBytes) => {
  const cases = providerContract(load(nodeCipherFromBytes), replayable(), portableProvider);
  test.each(cases.filter(({ name }) => name.startsWith('chacha20poly1305')))('$name', ({ run }) => run());
});

describe.each([
  ['DER', DER],
  ['their bytes', RAW],
])('ML-KEM-768 with public keys as %s', (_form, form) => {
  const cases = providerContract({ ...load(), ...nativeKem([form]) }, replayable(), portableProvider);
  test.each(cases.filter(({ name }) => name.startsWith('ML-KEM')))('$name', ({ run }) => run());
});

test('the next form of public keys is taken where a Node does not know one', () => {
  const unknown = { encode: RAW.encode, decode: (): never => expect.unreachable() };
  expect(nativeKem([unknown])).toBeUndefined();
  expect(nativeKem([unknown, DER])).toBeDefined();
});

describe('loading', () => {
  test('the provider is there and says its name', () => {
    expect(load().name).toBe('native');
  });

  test('without the addon there is none', () => {
    const missing = (): never => {
      throw new Error("Cannot find module 'sodium-native'");
    };
    expect(loadSodium(missing)).toBeUndefined();
  });

  test('an addon that lacks something used here counts as missing', () => {
    const sodium = loadSodium();
    expect(loadSodium(() => ({ ...sodium }))).toEqual(sodium);
    expect(loadSodium(() => ({ ...sodium, crypto_scalarmult: undefined }))).toBeUndefined();
    expect(loadSodium(() => undefined)).toBeUndefined();
  });

  test.each([-1, Number.NaN])('a threshold of %d is refused', (nodeCipherFromBytes) => {
    const sodium = loadSodium();
    expect(() => sodium && nativeProvider(sodium, { nodeCipherFromBytes })).toThrow(RangeError);
  });

  test('what a call allocates outside the heap is freed with it, not at some garbage collection', () => {
    const aead = load().aead('aes256gcm', new Uint8Array(32));
    const record = new Uint8Array(64 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let round = 0; round < 500; round += 1) {
      aead.seal(new Uint8Array(12), new Uint8Array(8), record.subarray(0, record.length - 16), record);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(16 * record.length);
  });
});
