import type { CryptoProvider } from '../crypto.ts';
import { portableAead } from './aead.ts';
import { PortableDhKeyPair, PortableSigningKey, portableVerify } from './curve25519.ts';
import { portableHash } from './hash.ts';
import { PortableKemKeyPair, portableEncapsulate } from './ml-kem.ts';

/** Every primitive in plain TypeScript (the noble family): the same everywhere, and the reference for every other one. */
export const portableProvider: CryptoProvider = {
  name: 'portable',
  // AES without the processor's help is several times slower, and not constant in time.
  preferredSuite: 'chacha20poly1305',
  hash: portableHash,
  aead: portableAead,
  dhKeyPair: (secret) => new PortableDhKeyPair(secret),
  kemKeyPair: (seed) => new PortableKemKeyPair(seed),
  kemEncapsulate: portableEncapsulate,
  signingKey: (seed) => new PortableSigningKey(seed),
  verify: portableVerify,
};
