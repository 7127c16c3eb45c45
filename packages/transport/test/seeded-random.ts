import { createCipheriv } from 'node:crypto';
import type { Random } from '@matryoshka/session';

/** The same bytes for the same seed. */
export function seededRandom(seed: number): Random {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, seed);
  const cipher = createCipheriv('chacha20', key, new Uint8Array(16));
  return { fill: (bytes) => bytes.set(cipher.update(new Uint8Array(bytes.length))) };
}
