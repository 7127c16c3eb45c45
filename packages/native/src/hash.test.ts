import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { nativeHashes } from './hash.ts';
import { type Sodium, loadSodium } from './sodium.ts';

const sodium = loadSodium();
const bytes = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31 + seed * 7);

// Short and long inputs go different ways; so do keys longer than a block.
test.runIf(sodium !== undefined)('SHA-256 and its HMAC are the same on both sides of every threshold, in any number of parts', () => {
  const hash = nativeHashes(sodium as Sodium)('SHA256');
  for (const length of [0, 1, 31, 55, 56, 63, 64, 65, 127, 128, 255, 256, 257, 300, 1184, 5000]) {
    const data = bytes(length, 1);
    const cut = Math.floor(length / 3);
    const parts = [data.subarray(0, cut), data.subarray(cut, 2 * cut), data.subarray(2 * cut)];
    const digest = new Uint8Array(createHash('sha256').update(data).digest());
    expect(hash.digest(data), `${length} bytes`).toEqual(digest);
    expect(hash.digest(...parts)).toEqual(digest);
    for (const keyLength of [0, 16, 32, 64, 65, 200]) {
      const key = bytes(keyLength, 2);
      const mac = new Uint8Array(createHmac('sha256', key).update(data).digest());
      expect(hash.hmac(key, data), `${length} bytes, key of ${keyLength}`).toEqual(mac);
      expect(hash.hmac(key, ...parts)).toEqual(mac);
    }
  }
});
