import { type CryptoProvider, type DhKeyPair, KEY_LENGTH, type KemKeyPair } from './crypto.ts';
import { KEM_SEED_LENGTH } from './noise/key-lengths.ts';
import { type Random, randomBytes } from './random.ts';

/** Where the key pairs of one handshake come from. Each is new, nobody else's, and for its taker to wipe. */
export interface KeyPairSource {
  /** X25519, as ephemeral or one-time static key. */
  dhKeyPair(): DhKeyPair;
  /** ML-KEM-768. */
  kemKeyPair(): KemKeyPair;
}

/** Makes each pair when it is asked for, of 32 or 64 bytes of `random`. */
export function freshKeyPairs(provider: CryptoProvider, random: Random): KeyPairSource {
  return {
    dhKeyPair: () => fromSecret(random, KEY_LENGTH, (secret) => provider.dhKeyPair(secret)),
    kemKeyPair: () => fromSecret(random, KEM_SEED_LENGTH, (seed) => provider.kemKeyPair(seed)),
  };
}

function fromSecret<T>(random: Random, length: number, make: (secret: Uint8Array) => T): T {
  const secret = randomBytes(random, length);
  const pair = make(secret);
  secret.fill(0);
  return pair;
}
