// The namespace, because a named import of what an older Node does not export would not link.
import * as crypto from 'node:crypto';
import type { CryptoProvider, KemKeyPair } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import { checkLength } from './check-length.ts';
import { plainBytes } from './plain-bytes.ts';

// FIPS 203 §8, table 3.
const SEED_LENGTH = 64;
const PUBLIC_KEY_LENGTH = 1184;
const CIPHERTEXT_LENGTH = 1088;

// What stands before the bytes of a key in DER (RFC 9935).
const PRIVATE_KEY_HEAD = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');
const PUBLIC_KEY_HEAD = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

/** How public keys get in and out of node:crypto. */
export interface PublicKeyForm {
  readonly encode: (key: crypto.KeyObject) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => crypto.KeyObject;
}

/** A form that every Node with ML-KEM takes. */
export const DER: PublicKeyForm = {
  encode: (key) => Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_KEY_HEAD.length)),
  decode: (bytes) => crypto.createPublicKey({ key: Buffer.concat([PUBLIC_KEY_HEAD, bytes]), format: 'der', type: 'spki' }),
};

/** The bytes alone, in newer ones: 30 µs less to encode, 5 to decode. */
export const RAW: PublicKeyForm = {
  encode: (key) => plainBytes(key.export({ format: 'raw-public' })),
  decode: (bytes) => crypto.createPublicKey({ key: bytes, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' }),
};

/** ML-KEM-768 (FIPS 203) of OpenSSL 3.5. */
class NativeKemKeyPair implements KemKeyPair {
  readonly publicKey: Uint8Array;
  #key: crypto.KeyObject | undefined;

  constructor(seed: Uint8Array, { encode }: PublicKeyForm) {
    checkLength(seed, SEED_LENGTH, 'an ML-KEM-768 seed');
    const encoded = Buffer.concat([PRIVATE_KEY_HEAD, seed]);
    this.#key = crypto.createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
    encoded.fill(0);
    this.publicKey = encode(crypto.createPublicKey(this.#key));
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    checkLength(ciphertext, CIPHERTEXT_LENGTH, 'an ML-KEM-768 ciphertext');
    if (this.#key === undefined) throw new MatryoshkaError('bug', 'a key was used after it was wiped');
    return plainBytes(crypto.decapsulate(this.#key, ciphertext));
  }

  /** Lets go of the key. Node overwrites its memory when it collects it; there is no way to do that earlier. */
  wipe(): void {
    this.#key = undefined;
  }
}

/** Randomness comes from OpenSSL, which takes none from outside. */
function encapsulate(publicKey: Uint8Array, { decode }: PublicKeyForm): { ciphertext: Uint8Array; shared: Uint8Array } {
  checkLength(publicKey, PUBLIC_KEY_LENGTH, 'an ML-KEM-768 public key');
  let key: crypto.KeyObject;
  try {
    key = decode(publicKey);
  } catch (error) {
    // The length is right: it is the modulus check (FIPS 203 §7.2).
    throw new MatryoshkaError('session.handshake-failed', 'an ML-KEM-768 public key is malformed', { cause: error });
  }
  const { ciphertext, sharedKey } = crypto.encapsulate(key);
  return { ciphertext: plainBytes(ciphertext), shared: plainBytes(sharedKey) };
}

/**
 * ML-KEM-768 of node:crypto; undefined before Node 24.7 and where its OpenSSL does not have it.
 * @param forms - of public keys; the first one that works is used
 */
export function nativeKem(forms: readonly PublicKeyForm[] = [RAW, DER]): Pick<CryptoProvider, 'kemKeyPair' | 'kemEncapsulate'> | undefined {
  const form = typeof crypto.encapsulate === 'function' ? forms.find(works) : undefined;
  if (form === undefined) return undefined;
  return { kemKeyPair: (seed) => new NativeKemKeyPair(seed, form), kemEncapsulate: (publicKey) => encapsulate(publicKey, form) };
}

function works(form: PublicKeyForm): boolean {
  try {
    const pair = new NativeKemKeyPair(new Uint8Array(SEED_LENGTH), form);
    pair.decapsulate(encapsulate(pair.publicKey, form).ciphertext);
    return true;
  } catch {
    return false;
  }
}
