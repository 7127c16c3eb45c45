import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { SuiteName } from '@matryoshka/wire';
import { type Aead, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '../crypto.ts';
import { checkLength, outputOf } from './check-length.ts';
import { Secret } from './secret.ts';

/** An AEAD in plain TypeScript: ChaCha20-Poly1305 (RFC 8439) or AES-256-GCM (SP 800-38D). */
export function portableAead(suite: SuiteName, key: Uint8Array): Aead {
  checkLength(key, KEY_LENGTH, 'an AEAD key');
  return suite === 'chacha20poly1305' ? new ChaCha20Poly1305(key) : new Aes256Gcm(key);
}

class ChaCha20Poly1305 implements Aead {
  readonly #key: Secret;

  constructor(key: Uint8Array) {
    this.#key = new Secret(key);
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    const length = plaintext.length + TAG_LENGTH;
    chacha20poly1305(this.#key.bytes, nonce, associated).encrypt(plaintext, outputOf(out, length));
    return length;
  }

  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    if (ciphertext.length < TAG_LENGTH) return false;
    const cipher = chacha20poly1305(this.#key.bytes, nonce, associated);
    const plaintext = outputOf(out, ciphertext.length - TAG_LENGTH);
    try {
      cipher.decrypt(ciphertext, plaintext);
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

  constructor(key: Uint8Array) {
    this.#key = new Secret(key);
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    const target = outputOf(out, plaintext.length + TAG_LENGTH);
    target.set(gcm(this.#key.bytes, nonce, associated).encrypt(plaintext));
    return target.length;
  }

  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    checkLength(nonce, NONCE_LENGTH, 'a nonce');
    if (ciphertext.length < TAG_LENGTH) return false;
    const cipher = gcm(this.#key.bytes, nonce, associated);
    const target = outputOf(out, ciphertext.length - TAG_LENGTH);
    try {
      target.set(cipher.decrypt(ciphertext));
      return true;
    } catch {
      return false;
    }
  }

  wipe(): void {
    this.#key.wipe();
  }
}
