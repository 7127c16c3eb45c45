import { getCiphers } from 'node:crypto';
import { type Aead, type CryptoProvider, portableProvider } from '@matryoshka/session';
import type { SuiteName } from '@matryoshka/wire';
import { nativeAead } from './aead.ts';
import { NativeDhKeyPair, NativeSigningKey, nativeVerify } from './curve25519.ts';
import { fasterSuite } from './faster-suite.ts';
import { nativeHashes } from './hash.ts';
import { nativeKem } from './ml-kem.ts';
import { type Sodium, loadSodium } from './sodium.ts';

/**
 * From this length on ChaCha20-Poly1305 goes to OpenSSL: each of its calls costs about 4 µs more than one of libsodium,
 * each KiB less (measured on x86-64: equal at 16 KiB, 24 against 40 µs at 63 KiB).
 */
export const NODE_CIPHER_FROM_BYTES = 16_384;

/** Where the border between the two libraries is. */
export interface NativeProviderOptions {
  /**
   * Plaintexts of at least this length are sealed and opened with ChaCha20-Poly1305 by node:crypto, shorter ones by
   * libsodium. 16,384 unless told; `Infinity`: always libsodium.
   */
  readonly nodeCipherFromBytes?: number;
}

/**
 * The crypto provider of Node: libsodium (sodium-native) and OpenSSL (node:crypto). Undefined where the addon cannot be
 * loaded; then the portable provider does the same, only slower. What this Node lacks comes from the portable one, too.
 * @throws RangeError for a negative threshold
 * @example
 * const provider = loadNativeProvider() ?? portableProvider;
 */
export function loadNativeProvider(options: NativeProviderOptions = {}): CryptoProvider | undefined {
  const sodium = loadSodium();
  return sodium === undefined ? undefined : nativeProvider(sodium, options);
}

/** The provider on top of a loaded addon. */
export function nativeProvider(sodium: Sodium, options: NativeProviderOptions): CryptoProvider {
  const { nodeCipherFromBytes = NODE_CIPHER_FROM_BYTES } = options;
  if (!(nodeCipherFromBytes >= 0)) throw new RangeError(`nodeCipherFromBytes must not be ${nodeCipherFromBytes}`);
  // Builds of OpenSSL and its relatives without this cipher exist; libsodium always has it.
  const threshold = getCiphers().includes('chacha20-poly1305') ? nodeCipherFromBytes : Infinity;
  const { kemKeyPair, kemEncapsulate } = nativeKem() ?? portableProvider;
  const aead = (suite: SuiteName, key: Uint8Array): Aead => nativeAead(sodium, threshold, suite, key);
  let preferred: SuiteName | undefined;
  return {
    name: 'native',
    get preferredSuite() {
      return (preferred ??= fasterSuite(aead));
    },
    hash: nativeHashes(sodium),
    aead,
    dhKeyPair: (secret) => new NativeDhKeyPair(sodium, secret),
    kemKeyPair,
    kemEncapsulate,
    signingKey: (seed) => new NativeSigningKey(sodium, seed),
    verify: (publicKey, message, signature) => nativeVerify(sodium, publicKey, message, signature),
  };
}
