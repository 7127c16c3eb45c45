import type { CryptoProvider, SigningKey } from './crypto.ts';
import { type PeerId, peerIdFromKey } from './peer-id.ts';
import { type Random, randomBytes } from './random.ts';

/** Length of the seed of an identity, in bytes (RFC 8032 §5.1.5). */
export const IDENTITY_SEED_LENGTH = 32;

/** Who we are: an Ed25519 key (docs/protocol.md §3.1). */
export class Identity {
  /** Name of the key: `mtk1…`. */
  readonly peerId: PeerId;
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly #seed: Uint8Array;
  readonly #key: SigningKey;

  /** For `createIdentity` and `identityFromSeed`. Copies the seed. */
  constructor(provider: CryptoProvider, seed: Uint8Array) {
    if (seed.length !== IDENTITY_SEED_LENGTH)
      throw new RangeError(`the seed of an identity has ${IDENTITY_SEED_LENGTH} bytes, not ${seed.length}`);
    this.#seed = seed.slice();
    this.#key = provider.signingKey(seed);
    this.publicKey = this.#key.publicKey;
    this.peerId = peerIdFromKey(provider, this.publicKey);
  }

  /** Ed25519 signature, 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return this.#key.sign(message);
  }

  /** The secret, 32 bytes, to store where only its owner can read it: a copy. An accessor, so that no log prints it. */
  get seed(): Uint8Array {
    return this.#seed.slice();
  }
}

/** A new identity. */
export function createIdentity(provider: CryptoProvider, random: Random): Identity {
  const seed = randomBytes(random, IDENTITY_SEED_LENGTH);
  const identity = new Identity(provider, seed);
  seed.fill(0);
  return identity;
}

/** The identity of a stored seed of 32 bytes, which is copied. @throws RangeError for another length */
export function identityFromSeed(provider: CryptoProvider, seed: Uint8Array): Identity {
  return new Identity(provider, seed);
}
