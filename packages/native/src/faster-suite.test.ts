import type { Aead } from '@matryoshka/session';
import { expect, test } from 'vitest';
import { fasterSuite } from './faster-suite.ts';

/** Seals nothing, and takes its time for it. */
function slow(work: number): Aead {
  return {
    seal: (_nonce, _associated, plaintext) => {
      let sum = 0;
      for (let i = 0; i < work; i++) sum += Math.sqrt(i);
      return plaintext.length + (sum < 0 ? 1 : 16);
    },
    open: () => false,
    wipe: () => {},
  };
}

test('the suite that takes less time is chosen', () => {
  expect(fasterSuite((suite) => slow(suite === 'aes256gcm' ? 10 : 100_000))).toBe('aes256gcm');
  expect(fasterSuite((suite) => slow(suite === 'aes256gcm' ? 100_000 : 10))).toBe('chacha20poly1305');
});
