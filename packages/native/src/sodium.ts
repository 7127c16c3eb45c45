import { createRequire } from 'node:module';

/**
 * The part of sodium-native (libsodium) used here; the package brings no types. Arguments are read and written where
 * they are, without a copy. It throws an Error where libsodium reports failure.
 */
export interface Sodium {
  /** `ciphertext` has 16 bytes more than `plaintext` and may begin at the same byte. */
  crypto_aead_chacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array,
    plaintext: Uint8Array,
    associated: Uint8Array,
    secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** `plaintext` has 16 bytes less than `ciphertext` and may begin at the same byte. Throws where the tag is wrong. */
  crypto_aead_chacha20poly1305_ietf_decrypt(
    plaintext: Uint8Array,
    secretNonce: null,
    ciphertext: Uint8Array,
    associated: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_hash_sha256(digest: Uint8Array, message: Uint8Array): void;
  crypto_scalarmult_base(publicKey: Uint8Array, secret: Uint8Array): void;
  /** Throws where the result is zero. */
  crypto_scalarmult(shared: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void;
  /** `secretKey` has 64 bytes: the seed and the public key. */
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

const used: readonly (keyof Sodium)[] = [
  'crypto_hash_sha256',
  'crypto_aead_chacha20poly1305_ietf_encrypt',
  'crypto_aead_chacha20poly1305_ietf_decrypt',
  'crypto_scalarmult_base',
  'crypto_scalarmult',
  'crypto_sign_seed_keypair',
  'crypto_sign_detached',
  'crypto_sign_verify_detached',
];

/**
 * The addon; undefined where it is not installed, has no binary for this platform, or lacks what is used of it.
 * @param load - how modules are loaded. `require`, because an `import` of an addon that cannot load would take us with it
 */
export function loadSodium(load: (name: string) => unknown = createRequire(import.meta.url)): Sodium | undefined {
  try {
    const sodium = load('sodium-native') as Sodium;
    return used.every((name) => typeof sodium[name] === 'function') ? sodium : undefined;
  } catch {
    return undefined;
  }
}
