import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Hash, HashName } from '../crypto.ts';

const functions = { SHA256: sha256, SHA512: sha512, BLAKE2s: blake2s, BLAKE2b: blake2b } as const;

/** One of the four hash functions of Noise (rev 34 §12.5-12.8). */
class PortableHash implements Hash {
  readonly name: HashName;
  readonly length: number;
  readonly blockLength: number;
  readonly #function: (typeof functions)[HashName];

  constructor(name: HashName) {
    this.name = name;
    this.#function = functions[name];
    this.length = this.#function.outputLen;
    this.blockLength = this.#function.blockLen;
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    const state = this.#function.create();
    for (const part of parts) state.update(part);
    return state.digest();
  }

  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const state = hmac.create(this.#function, key);
    for (const part of parts) state.update(part);
    return state.digest();
  }
}

const hashes: Readonly<Record<HashName, Hash>> = {
  SHA256: new PortableHash('SHA256'),
  SHA512: new PortableHash('SHA512'),
  BLAKE2s: new PortableHash('BLAKE2s'),
  BLAKE2b: new PortableHash('BLAKE2b'),
};

/** The hash function of that name, in plain TypeScript; it holds no state. */
export function portableHash(name: HashName): Hash {
  return hashes[name];
}
