import { type CryptoProvider, type DhKeyPair, KEY_LENGTH } from './crypto.ts';
import type { Identity } from './identity.ts';
import { type KeyTextKind, decodeKeyText, encodeKeyText } from './key-text.ts';

const STATIC_KEY: KeyTextKind = { prefix: 'mts', name: 'static key' };
const LABEL = new TextEncoder().encode('matryoshka static key 1');

/**
 * The static key of a node that has no other: HMAC-SHA-256 of a label under the seed of its identity (docs/protocol.md
 * §3.3). It stays as long as the identity does, and who knows the peer id does not know it.
 */
export function staticKeyOf(provider: CryptoProvider, identity: Identity): DhKeyPair {
  const { seed } = identity;
  const secret = provider.hash('SHA256').hmac(seed, LABEL);
  const pair = provider.dhKeyPair(secret);
  seed.fill(0);
  secret.fill(0);
  return pair;
}

/** The text of an X25519 static key of 32 bytes, 62 characters with a checksum: `mts1…`. @throws RangeError for another length */
export function formatStaticKey(key: Uint8Array): string {
  if (key.length !== KEY_LENGTH) throw new RangeError(`a static key has ${KEY_LENGTH} bytes, not ${key.length}`);
  return encodeKeyText(STATIC_KEY, key);
}

/** The static key of its text, 32 bytes. @throws MatryoshkaError `session.identity-invalid` saying what is wrong with the text */
export function parseStaticKey(text: string): Uint8Array {
  return decodeKeyText(STATIC_KEY, text);
}
