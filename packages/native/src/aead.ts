import { type Aead, type DetachedAead, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '@matryoshka/session';
import type { SuiteName } from '@matryoshka/wire';
import { checkLength, outputOf } from './check-length.ts';
import { nodeDetached, openWithNode, sealWithNode } from './node-cipher.ts';
import { Secret } from './secret.ts';
import type { Sodium } from './sodium.ts';

/** An AEAD of libsodium or OpenSSL, whichever is faster for the record. */
export function nativeAead(sodium: Sodium, nodeCipherFromBytes: number, suite: SuiteName, key: Uint8Array): Aead {
  checkLength(key, KEY_LENGTH, 'an AEAD key');
  return suite === 'chacha20poly1305' ? new ChaCha20Poly1305(sodium, nodeCipherFromBytes, key) : new Aes256Gcm(key);
}

/** Copying less than this costs less than memory of its own for each record, in bytes. */
const DETACHED_FROM_LENGTH: number = 16 * 1024;

class ChaCha20Poly1305 implements Aead {
  readonly #sodium: Sodium;
  readonly #nodeCipherFromBytes: number;
  readonly #key: Secret;
  readonly detached: DetachedAead;

  constructor(sodium: Sodium, nodeCipherFromBytes: number, key: Uint8Array) {
    this.#sodium = sodium;
    this.#nodeCipherFromBytes = nodeCipherFromBytes;
    this.#key = new Secret(key);
    this.detached = nodeDetached('chacha20-poly1305', this.#key, Math.max(nodeCipherFromBytes, DETACHED_FROM_LENGTH));
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    const target = outputOf(out, plaintext.length + TAG_LENGTH);
    if (plaintext.length >= this.#nodeCipherFromBytes) {
      sealWithNode('chacha20-poly1305', this.#key.bytes, nonce, associated, plaintext, target);
    } else {
      this.#sodium.crypto_aead_chacha20poly1305_ietf_encrypt(target, plaintext, associated, null, nonce, this.#key.bytes);
    }
    return target.length;
  }

  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    if (ciphertext.length < TAG_LENGTH) return false;
    const key = this.#key.bytes;
    const target = outputOf(out, ciphertext.length - TAG_LENGTH);
    if (target.length >= this.#nodeCipherFromBytes) {
      return openWithNode('chacha20-poly1305', key, nonce, associated, ciphertext, target);
    }
    try {
      this.#sodium.crypto_aead_chacha20poly1305_ietf_decrypt(target, null, ciphertext, associated, nonce, key);
      return true;
    } catch {
      // Every argument was checked above: what is left to fail is the tag.
      return false;
    }
  }

  wipe(): void {
    this.#key.wipe();
  }
}

class Aes256Gcm implements Aead {
  readonly #key: Secret;
  readonly detached: DetachedAead;

  constructor(key: Uint8Array) {
    this.#key = new Secret(key);
    this.detached = nodeDetached('aes-256-gcm', this.#key, DETACHED_FROM_LENGTH);
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    const target = outputOf(out, plaintext.length + TAG_LENGTH);
    sealWithNode('aes-256-gcm', this.#key.bytes, nonce, associated, plaintext, target);
    return target.length;
  }

  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    if (ciphertext.length < TAG_LENGTH) return false;
    const target = outputOf(out, ciphertext.length - TAG_LENGTH);
    return openWithNode('aes-256-gcm', this.#key.bytes, nonce, associated, ciphertext, target);
  }

  wipe(): void {
    this.#key.wipe();
  }
}
