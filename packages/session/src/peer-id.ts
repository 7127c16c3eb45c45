import { IDENTITY_KEY_LENGTH, PEER_HASH_LENGTH } from '@matryoshka/wire';
import type { CryptoProvider } from './crypto.ts';
import { KEY_TEXT_LENGTH, type KeyTextKind, decodeKeyText, encodeKeyText } from './key-text.ts';

declare const brand: unique symbol;
/**
 * Who a peer is, as text of 62 characters: `mtk1…`, which is Bech32m (BIP 350) of the SHA-256 hash of its identity key
 * (docs/protocol.md §3.1). One peer has one text only, so ids are compared with `===`.
 */
export type PeerId = string & { readonly [brand]: 'PeerId' };

/** Length of a peer id in characters: prefix, separator, 52 of the hash, 6 of the checksum. */
export const PEER_ID_LENGTH: number = KEY_TEXT_LENGTH;

const PEER_ID: KeyTextKind = { prefix: 'mtk', name: 'peer id' };

/** @throws MatryoshkaError `session.identity-invalid` saying what is wrong with the text */
export function parsePeerId(text: string): PeerId {
  decodeKeyText(PEER_ID, text);
  return text as PeerId;
}

/** The peer id of an identity key of 32 bytes. */
export function peerIdFromKey(provider: CryptoProvider, key: Uint8Array): PeerId {
  if (key.length !== IDENTITY_KEY_LENGTH) throw new RangeError(`an identity key has ${IDENTITY_KEY_LENGTH} bytes, not ${key.length}`);
  return peerIdFromHash(provider.hash('SHA256').digest(key));
}

/** The peer id of a hash of 32 bytes, as it is on the wire. */
export function peerIdFromHash(hash: Uint8Array): PeerId {
  if (hash.length !== PEER_HASH_LENGTH)
    throw new RangeError(`the hash of an identity key has ${PEER_HASH_LENGTH} bytes, not ${hash.length}`);
  return encodeKeyText(PEER_ID, hash) as PeerId;
}

/** The hash in a peer id, 32 bytes, newly allocated. */
export function peerHash(peerId: PeerId): Uint8Array {
  return decodeKeyText(PEER_ID, peerId);
}
