import type { Hash, HashName } from '@matryoshka/session';
import { expand } from './mixing.ts';

/** A hash function with the lengths of a real one; HMAC over it is that of RFC 2104. */
class SimulatedHash implements Hash {
  readonly name: HashName;
  readonly length: number;
  readonly blockLength: number;
  readonly #seed: number;

  constructor(name: HashName, length: 32 | 64, seed: number) {
    this.name = name;
    this.length = length;
    this.blockLength = 2 * length;
    this.#seed = seed;
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    return expand(this.#seed, this.length, ...parts);
  }

  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const block = key.length > this.blockLength ? this.digest(key) : key;
    const inner = new Uint8Array(this.blockLength).fill(0x36);
    const outer = new Uint8Array(this.blockLength).fill(0x5c);
    for (let i = 0; i < block.length; i++) {
      inner[i] = (block[i] as number) ^ 0x36;
      outer[i] = (block[i] as number) ^ 0x5c;
    }
    return this.digest(outer, this.digest(inner, ...parts));
  }
}

const hashes: Readonly<Record<HashName, Hash>> = {
  SHA256: new SimulatedHash('SHA256', 32, 0x5348_4132),
  SHA512: new SimulatedHash('SHA512', 64, 0x5348_4135),
  BLAKE2s: new SimulatedHash('BLAKE2s', 32, 0x424c_4132),
  BLAKE2b: new SimulatedHash('BLAKE2b', 64, 0x424c_4162),
};

/** Stands in for the hash function of that name; it holds no state. */
export function simulatedHash(name: HashName): Hash {
  return hashes[name];
}
