import { createCipheriv } from 'node:crypto';
import { shake128 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { providerContract } from '../contract/index.ts';
import type { Random } from '../random.ts';
import { portableProvider } from './provider.ts';

/** AES-CTR under a fixed key: the same bytes in every run. */
function replayable(): Random {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16));
  return { fill: (bytes) => bytes.set(stream.update(new Uint8Array(bytes.length))) };
}

describe('the portable provider', () => {
  test.each(providerContract(portableProvider, replayable()))('$name', ({ run }) => run());

  test('draws the randomness of an encapsulation from its argument, so that a simulated world replays it', () => {
    const { publicKey } = portableProvider.kemKeyPair(new Uint8Array(64));
    expect(portableProvider.kemEncapsulate(publicKey, replayable())).toEqual(portableProvider.kemEncapsulate(publicKey, replayable()));
  });

  test('a source of randomness that fails is not taken for a malformed key', () => {
    const { publicKey } = portableProvider.kemKeyPair(new Uint8Array(64));
    const failing = {
      fill: () => {
        throw new TypeError('no entropy');
      },
    };
    expect(() => portableProvider.kemEncapsulate(publicKey, failing)).toThrow(new TypeError('no entropy'));
  });

  // C2SP CCTV, ML-KEM "accumulated" vectors: 100 keys, encapsulations and rejections, all drawn from SHAKE-128.
  test('ML-KEM-768 gives the accumulated digest of 100 rounds', () => {
    const source = shake128.create();
    const random: Random = { fill: (bytes) => bytes.set(source.xof(bytes.length)) };
    const draw = (length: number): Uint8Array => source.xof(length);
    const all = shake128.create();
    for (let round = 0; round < 100; round += 1) {
      const pair = portableProvider.kemKeyPair(draw(64));
      all.update(pair.publicKey);
      const { ciphertext, shared } = portableProvider.kemEncapsulate(pair.publicKey, random);
      all.update(ciphertext).update(shared);
      expect(pair.decapsulate(ciphertext)).toEqual(shared);
      all.update(pair.decapsulate(draw(1088)));
    }
    expect(bytesToHex(all.xof(32))).toBe('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
  });
});
