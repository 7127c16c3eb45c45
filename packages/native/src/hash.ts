import { createHash, createHmac, getHashes } from 'node:crypto';
import { type Hash, type HashName, portableProvider } from '@matryoshka/session';
import { plainBytes } from './plain-bytes.ts';

const algorithms: Readonly<Record<HashName, string>> = { SHA256: 'sha256', SHA512: 'sha512', BLAKE2s: 'blake2s256', BLAKE2b: 'blake2b512' };

class NativeHash implements Hash {
  readonly name: HashName;
  readonly length: number;
  readonly blockLength: number;
  readonly #algorithm: string;

  constructor({ name, length, blockLength }: Hash) {
    this.name = name;
    this.length = length;
    this.blockLength = blockLength;
    this.#algorithm = algorithms[name];
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    const state = createHash(this.#algorithm);
    for (const part of parts) state.update(part);
    return plainBytes(state.digest());
  }

  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const state = createHmac(this.#algorithm, key);
    for (const part of parts) state.update(part);
    return plainBytes(state.digest());
  }
}

/** The hash functions of node:crypto; the portable one where OpenSSL was built without it, as BLAKE2 may be. */
export function nativeHashes(): (name: HashName) => Hash {
  const available = new Set(getHashes());
  const choose = (name: HashName): Hash => {
    const portable = portableProvider.hash(name);
    return available.has(algorithms[name]) ? new NativeHash(portable) : portable;
  };
  const hashes: Readonly<Record<HashName, Hash>> = {
    SHA256: choose('SHA256'),
    SHA512: choose('SHA512'),
    BLAKE2s: choose('BLAKE2s'),
    BLAKE2b: choose('BLAKE2b'),
  };
  return (name) => hashes[name];
}
