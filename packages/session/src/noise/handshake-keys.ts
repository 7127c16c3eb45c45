import type { DhKeyPair } from '../crypto.ts';
import { DH_LENGTH, PSK_LENGTH } from './key-lengths.ts';
import { type HandshakePattern, type Role, senderOf } from './pattern.ts';

/** What the two sides of a handshake bring along. */
export interface HandshakeKeys {
  /** What both sides must agree on besides the protocol, of any length; borrowed during construction. */
  readonly prologue?: Uint8Array | undefined;
  /** Our static key pair, where the pattern uses one. Stays the caller's. */
  readonly staticKey?: DhKeyPair | undefined;
  /** The other side's static public key, 32 bytes, where the pattern takes it as known. Copied. */
  readonly remoteStatic?: Uint8Array | undefined;
  /** One of 32 bytes for each psk modifier, in the order of their tokens. Borrowed until the handshake is over. */
  readonly psks?: readonly Uint8Array[] | undefined;
}

/**
 * @throws TypeError for a key the pattern needs and does not get, or gets and does not take, or what is no key at all
 * @throws RangeError for one of another length
 */
export function assertHandshakeKeys({ name, preMessages, messages }: HandshakePattern, role: Role, keys: HandshakeKeys): void {
  const { prologue, staticKey, remoteStatic, psks = [] } = keys;
  if (role !== 'initiator' && role !== 'responder') throw new TypeError('a role is "initiator" or "responder"');
  if (prologue !== undefined) assertBytes(prologue, 'a prologue');

  const usesStatic = preMessages.includes(role) || messages.some((tokens, index) => senderOf(index) === role && tokens.includes('s'));
  if (usesStatic && staticKey === undefined) throw new TypeError(`${name} needs a static key of the ${role}`);
  if (staticKey !== undefined && typeof staticKey.shared !== 'function') throw new TypeError('a static key is a key pair of the provider');

  const remote: Role = role === 'initiator' ? 'responder' : 'initiator';
  if (preMessages.includes(remote) !== (remoteStatic !== undefined)) {
    throw new TypeError(`${name} ${remoteStatic === undefined ? 'needs' : 'takes no'} static public key of the ${remote} beforehand`);
  }
  if (remoteStatic !== undefined) {
    assertBytes(remoteStatic, 'a static public key');
    if (remoteStatic.length !== DH_LENGTH) throw new RangeError(`a static public key has ${DH_LENGTH} bytes, not ${remoteStatic.length}`);
  }

  const wanted = messages.flat().filter((token) => token === 'psk').length;
  if (!Array.isArray(psks)) throw new TypeError('pre-shared keys come in an array');
  if (psks.length !== wanted) throw new TypeError(`${name} takes ${wanted} pre-shared keys, not ${psks.length}`);
  for (const psk of psks as readonly Uint8Array[]) {
    assertBytes(psk, 'a pre-shared key');
    if (psk.length !== PSK_LENGTH) throw new RangeError(`a pre-shared key has ${PSK_LENGTH} bytes, not ${psk.length}`);
  }
}

/** For callers without types: text would otherwise be taken for bytes here and there. @throws TypeError */
export function assertBytes(value: Uint8Array, what: string): void {
  if (!ArrayBuffer.isView(value) || value[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError(`${what} is a Uint8Array`);
}
