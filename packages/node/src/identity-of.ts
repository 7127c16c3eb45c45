import { type CryptoProvider, type Identity, type Random, createIdentity, identityFromSeed } from '@matryoshka/session';

/** The identity that options name: one there is, that of a seed, or a new one. */
export function identityOf(identity: Identity | Uint8Array | undefined, provider: CryptoProvider, random: Random): Identity {
  if (identity === undefined) return createIdentity(provider, random);
  return identity instanceof Uint8Array ? identityFromSeed(provider, identity) : identity;
}
