import { createCipheriv, createDecipheriv, type CipherGCM, type DecipherGCM } from 'node:crypto';
import { type DetachedAead, NONCE_LENGTH, TAG_LENGTH } from '@matryoshka/session';
import { checkLength } from './check-length.ts';
import { ownBytes, plainBytes, release } from './plain-bytes.ts';
import type { Secret } from './secret.ts';

/** OpenSSL's names of the two AEADs. */
export type NodeCipherName = 'chacha20-poly1305' | 'aes-256-gcm';

// The same methods for both; the declarations know them for GCM only without options of each call.
const create = createCipheriv as (name: NodeCipherName, key: Uint8Array, nonce: Uint8Array, options: object) => CipherGCM;
const createInverse = createDecipheriv as (name: NodeCipherName, key: Uint8Array, nonce: Uint8Array, options: object) => DecipherGCM;
const options = { authTagLength: TAG_LENGTH };

/** Seals through node:crypto. `out` has exactly `plaintext.length + 16` bytes and may begin at the same byte. */
export function sealWithNode(
  name: NodeCipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
  out: Uint8Array,
): void {
  const cipher = create(name, key, nonce, options);
  if (associated.length > 0) cipher.setAAD(associated);
  // Neither mode has anything left for final() to return.
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  out.set(ciphertext);
  out.set(cipher.getAuthTag(), plaintext.length);
  release(ciphertext);
}

/**
 * Opens through node:crypto; false where the tag is wrong, and then `out` is untouched. `ciphertext` has at least 16
 * bytes, `out` exactly 16 less, and may begin at the same byte.
 */
export function openWithNode(
  name: NodeCipherName,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  ciphertext: Uint8Array,
  out: Uint8Array,
): boolean {
  const decipher = createInverse(name, key, nonce, options);
  if (associated.length > 0) decipher.setAAD(associated);
  decipher.setAuthTag(ciphertext.subarray(out.length));
  const plaintext = decipher.update(ciphertext.subarray(0, out.length));
  try {
    decipher.final();
    out.set(plaintext);
    return true;
  } catch {
    return false;
  } finally {
    release(plaintext);
  }
}

/** The same without the copy out of node:crypto: what it returns is handed on. */
export function nodeDetached(name: NodeCipherName, key: Secret, fromLength: number): DetachedAead {
  return {
    fromLength,
    seal(nonce, plaintext) {
      checkLength(nonce, NONCE_LENGTH, 'a nonce');
      const cipher = create(name, key.bytes, nonce, options);
      const ciphertext = ownBytes(cipher.update(plaintext));
      cipher.final();
      return { ciphertext, tag: plainBytes(cipher.getAuthTag()) };
    },
    open(nonce, ciphertext) {
      checkLength(nonce, NONCE_LENGTH, 'a nonce');
      const length = ciphertext.length - TAG_LENGTH;
      if (length < 0) return undefined;
      const decipher = createInverse(name, key.bytes, nonce, options);
      decipher.setAuthTag(ciphertext.subarray(length));
      const plaintext = ownBytes(decipher.update(ciphertext.subarray(0, length)));
      try {
        decipher.final();
        return plaintext;
      } catch {
        // Not authenticated, so nobody may see it.
        plaintext.buffer.transfer(0);
        return undefined;
      }
    },
  };
}
