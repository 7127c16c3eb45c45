import { bech32m } from '@scure/base';
import { IDENTITY_KEY_LENGTH, MatryoshkaError, PEER_HASH_LENGTH } from '@matryoshka/wire';
import type { CryptoProvider } from './crypto.ts';

declare const brand: unique symbol;
/**
 * Who a peer is, as text of 62 characters: `mtk1…`, which is Bech32m (BIP 350) of the SHA-256 hash of its identity key
 * (docs/protocol.md §3.1). One peer has one text only, so ids are compared with `===`.
 */
export type PeerId = string & { readonly [brand]: 'PeerId' };

/** Length of a peer id in characters: prefix, separator, 52 of the hash, 6 of the checksum. */
export const PEER_ID_LENGTH = 62;

const PREFIX = 'mtk';
// The alphabet of Bech32 (BIP 173): without 1, b, i and o.
const DATA = /^[02-9ac-hj-np-z]*$/;

/** @throws MatryoshkaError `session.identity-invalid` saying what is wrong with the text */
export function parsePeerId(text: string): PeerId {
  const refuse = (what: string): never => {
    throw new MatryoshkaError('session.identity-invalid', `${JSON.stringify(text.slice(0, PEER_ID_LENGTH + 8))} is not a peer id: ${what}`);
  };
  if (!text.startsWith(`${PREFIX}1`)) refuse(`it must begin with ${PREFIX}1`);
  if (text.length !== PEER_ID_LENGTH) refuse(`it must have ${PEER_ID_LENGTH} characters, not ${text.length}`);
  if (!DATA.test(text.slice(PREFIX.length + 1))) refuse('it has a character that no peer id has');
  const decoded = bech32m.decodeUnsafe(text, PEER_ID_LENGTH) ?? refuse('the checksum is wrong, so it is mistyped');
  const hash = bech32m.fromWordsUnsafe(decoded.words);
  if (hash instanceof Uint8Array && hash.length === PEER_HASH_LENGTH) return text as PeerId;
  return refuse('it holds no hash');
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
  return bech32m.encode(PREFIX, bech32m.toWords(hash), PEER_ID_LENGTH) as PeerId;
}

/** The hash in a peer id, 32 bytes, newly allocated. */
export function peerHash(peerId: PeerId): Uint8Array {
  return bech32m.fromWords(bech32m.decode(peerId as `${string}1${string}`, PEER_ID_LENGTH).words);
}
