import type { CryptoProvider } from '@matryoshka/session';
import type { SealRecord } from './seal-record.ts';
import { SimulatedAead, keyState } from './simulated-aead.ts';
import { simulatedHash } from './simulated-hash.ts';
import { SimulatedDhKeyPair, SimulatedKemKeyPair, SimulatedSigningKey, simulatedEncapsulate, simulatedVerify } from './simulated-keys.ts';

/** What a simulated provider is told. */
export interface SimulatedProviderOptions {
  /** Where each sealing is written down, to find keys that are used twice with a nonce. */
  readonly record?: SealRecord;
  /** Who seals, in reports. Default `simulated`. */
  readonly name?: string;
}

/**
 * Every primitive a session needs, made of a fast hash: the same inputs give the same outputs, both sides agree, what
 * was changed is refused, lengths and errors are those of the real ones. It protects nothing from nobody; it is for
 * worlds in which thousands of handshakes and gigabytes of records are not the point.
 */
export function simulatedProvider({ record, name = 'simulated' }: SimulatedProviderOptions = {}): CryptoProvider {
  return {
    name,
    preferredSuite: 'chacha20poly1305',
    hash: simulatedHash,
    aead: (suite, key) => {
      const state = keyState(suite, key);
      return new SimulatedAead(state, record?.key(name, suite, state));
    },
    dhKeyPair: (secret) => new SimulatedDhKeyPair(secret),
    kemKeyPair: (seed) => new SimulatedKemKeyPair(seed),
    kemEncapsulate: simulatedEncapsulate,
    signingKey: (seed) => new SimulatedSigningKey(seed),
    verify: simulatedVerify,
  };
}
