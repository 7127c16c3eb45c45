import { createCipheriv } from 'node:crypto';
import { portableProvider } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { FrameMask } from './frame-mask.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i * 5 + 1);

function masks(mask: FrameMask, count: number): number[] {
  return Array.from({ length: count }, () => mask.next());
}

/** ChaCha20 (RFC 8439 §2.4) of OpenSSL: little-endian block counter, then the nonce. */
function chacha20(key: Uint8Array, nonce: number, length: number): Uint8Array {
  const iv = new Uint8Array(16);
  const view = new DataView(iv.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(8, nonce, true);
  return new Uint8Array(createCipheriv('chacha20', key, iv).update(new Uint8Array(length)));
}

describe('the mask of lengths (docs/protocol.md §2.2)', () => {
  test('is ChaCha20 from block 1 on, 1,024 bytes for each nonce, two bytes for each frame', () => {
    const expected = [0, 1, 2].flatMap((nonce) => {
      const bytes = chacha20(KEY, nonce, 1024);
      return Array.from({ length: 512 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
    });
    expect(masks(new FrameMask(portableProvider, KEY), 3 * 512)).toEqual(expected);
  });

  test('is another one under another key', () => {
    const other = KEY.slice();
    other[31] = (other[31] as number) ^ 1;
    expect(masks(new FrameMask(portableProvider, KEY), 64)).not.toEqual(masks(new FrameMask(portableProvider, other), 64));
  });

  test('copies its key, which has 32 bytes', () => {
    const key = KEY.slice();
    const mask = new FrameMask(portableProvider, key);
    key.fill(0);
    expect(masks(mask, 600)).toEqual(masks(new FrameMask(portableProvider, KEY), 600));
    expect(() => new FrameMask(portableProvider, new Uint8Array(31))).toThrow(RangeError);
  });
});
