import { createHash, createHmac, getHashes } from 'node:crypto';
import { type Hash, type HashName, portableProvider } from '@matryoshka/session';
import { plainBytes } from './plain-bytes.ts';
import type { Sodium } from './sodium.ts';

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

/** From this length on OpenSSL, which uses the processor's own instructions, takes less time than libsodium. */
const SHORT_LENGTH = 256;
const SHA256_LENGTH = 32;
const SHA256_BLOCK_LENGTH = 64;
// RFC 2104 §2.
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * SHA-256 where most of what is hashed is short, as in a handshake: libsodium takes a third of the time of a hash object of
 * Node's, and an HMAC is two of them.
 */
class ShortSha256 extends NativeHash {
  readonly #sodium: Sodium;
  readonly #inner = new Uint8Array(SHA256_BLOCK_LENGTH + SHORT_LENGTH);
  readonly #outer = new Uint8Array(SHA256_BLOCK_LENGTH + SHA256_LENGTH);
  /** Behind the key in it. */
  readonly #digest = this.#outer.subarray(SHA256_BLOCK_LENGTH);
  /** The first bytes of `#inner`, by how many: there are few lengths, and each is used again and again. */
  readonly #inners: Uint8Array[] = [];

  constructor(sodium: Sodium, portable: Hash) {
    super(portable);
    this.#sodium = sodium;
  }

  override digest(...parts: readonly Uint8Array[]): Uint8Array {
    const length = lengthOf(parts);
    if (length > SHORT_LENGTH) return super.digest(...parts);
    const joined = this.#innerOf(length);
    join(joined, parts, 0);
    const out = new Uint8Array(SHA256_LENGTH);
    this.#sodium.crypto_hash_sha256(out, joined);
    joined.fill(0);
    return out;
  }

  #innerOf(length: number): Uint8Array {
    return (this.#inners[length] ??= this.#inner.subarray(0, length));
  }

  override hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const length = lengthOf(parts);
    if (length > SHORT_LENGTH || key.length > SHA256_BLOCK_LENGTH) return super.hmac(key, ...parts);
    const inner = this.#innerOf(SHA256_BLOCK_LENGTH + length);
    const outer = this.#outer;
    inner.fill(INNER_PAD, 0, SHA256_BLOCK_LENGTH);
    outer.fill(OUTER_PAD, 0, SHA256_BLOCK_LENGTH);
    // Not by an iterator, which makes an array for each byte.
    for (let i = 0; i < key.length; i++) {
      inner[i] = (key[i] as number) ^ INNER_PAD;
      outer[i] = (key[i] as number) ^ OUTER_PAD;
    }
    join(inner, parts, SHA256_BLOCK_LENGTH);
    this.#sodium.crypto_hash_sha256(this.#digest, inner);
    const out = new Uint8Array(SHA256_LENGTH);
    this.#sodium.crypto_hash_sha256(out, outer);
    // Keys stay nowhere.
    inner.fill(0);
    outer.fill(0);
    return out;
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function join(into: Uint8Array, parts: readonly Uint8Array[], from: number): void {
  let at = from;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
}

/** The hash functions of node:crypto; the portable one where OpenSSL was built without it, as BLAKE2 may be. */
export function nativeHashes(sodium: Sodium): (name: HashName) => Hash {
  const available = new Set(getHashes());
  const choose = (name: HashName): Hash => {
    const portable = portableProvider.hash(name);
    return available.has(algorithms[name]) ? new NativeHash(portable) : portable;
  };
  const hashes: Readonly<Record<HashName, Hash>> = {
    SHA256: new ShortSha256(sodium, portableProvider.hash('SHA256')),
    SHA512: choose('SHA512'),
    BLAKE2s: choose('BLAKE2s'),
    BLAKE2b: choose('BLAKE2b'),
  };
  return (name) => hashes[name];
}
