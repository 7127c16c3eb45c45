import { type CryptoProvider, RecordKeys, type SessionKeys, TAG_LENGTH } from '@matryoshka/session';
import {
  HANDSHAKE_OPENING_LENGTH,
  MatryoshkaError,
  type Message,
  Reader,
  Writer,
  decodeMessage,
  encodeMessage,
  messageLength,
} from '@matryoshka/wire';

/** The record keys of both directions; overwrites what they were made of. */
export function recordKeys(
  provider: CryptoProvider,
  keys: SessionKeys,
): { readonly sendKeys: RecordKeys; readonly receiveKeys: RecordKeys } {
  const sendKeys = new RecordKeys(provider, keys.suite, keys.send);
  const receiveKeys = new RecordKeys(provider, keys.suite, keys.receive);
  keys.send.fill(0);
  keys.receive.fill(0);
  return { sendKeys, receiveKeys };
}

/**
 * Fills the rest of the opening, behind the third handshake message if there is one, with the initiator's first record:
 * one message and padding, so that every opening has one size (docs/protocol.md §4.3).
 */
export function sealOpening(out: Uint8Array, handshakeLength: number, keys: RecordKeys, message: Message): void {
  const plaintext = out.subarray(handshakeLength, HANDSHAKE_OPENING_LENGTH - TAG_LENGTH).fill(0);
  encodeMessage(new Writer(plaintext), message);
  keys.seal(plaintext, out.subarray(handshakeLength, HANDSHAKE_OPENING_LENGTH));
}

/** One message as a record of its own, newly allocated; shorter ones are padded to `paddedLength`. */
export function sealMessage(keys: RecordKeys, message: Message, paddedLength: number = 0): Uint8Array {
  const record = new Uint8Array(Math.max(messageLength(message), paddedLength) + TAG_LENGTH);
  const plaintext = record.subarray(0, record.length - TAG_LENGTH);
  encodeMessage(new Writer(plaintext), message);
  keys.seal(plaintext, record);
  return record;
}

/**
 * Opens a record in place that has one message, and perhaps padding; undefined for a type that may be skipped.
 * @throws MatryoshkaError `session.record-failed`; DecodeError
 */
export function openMessage(record: Uint8Array, keys: RecordKeys): Message | undefined {
  return decodeMessage(new Reader(keys.open(record)));
}

/**
 * Opens the initiator's first record in place.
 * @throws MatryoshkaError `session.record-failed`; `session.unexpected` for anything but a new or resumed session
 */
export function openOpening(record: Uint8Array, keys: RecordKeys): Extract<Message, { type: 'session-new' | 'session-resume' }> {
  const message = openMessage(record, keys);
  if (message?.type !== 'session-new' && message?.type !== 'session-resume')
    throw new MatryoshkaError('session.unexpected', 'the first record must open or resume a session');
  return message;
}
