import { DecodeError, Reader, Writer, textLength } from '@matryoshka/wire';

/** The protocol that files travel by, one stream per file. */
export const FILE_PROTOCOL = '/matryoshka/file/1';
/** Type (8 bits) and length of what follows (16 bits). */
export const FILE_HEADER_LENGTH = 3;
/** Largest body of a message, in bytes: that of `stored` with the longest name. */
export const MAX_FILE_BODY_LENGTH = 296;
/** Length of a SHA-256 digest, in bytes. */
export const DIGEST_LENGTH = 32;

// Numbers never change their meaning.
const refusals = {
  'unknown': [0x00, 'for a reason this version does not know'],
  'name-invalid': [0x01, 'the name cannot be used for a file'],
  'sender-refused': [0x02, 'files from this sender are not taken'],
  'busy': [0x03, 'too many files are being received'],
  'no-space': [0x04, 'no space is left at the receiver'],
  'cannot-write': [0x05, 'the receiver cannot write to its directory'],
  'size-mismatch': [0x06, 'the size is not the announced one'],
  'digest-mismatch': [0x07, 'the content is not what was sent'],
  'protocol': [0x08, 'the sender does not keep to the protocol'],
  'stopped': [0x09, 'the receiver was stopped'],
} as const;

/** Stable name of a refusal. */
export type RefusalReason = keyof typeof refusals;

/** Why a receiver does not take a file: the number on the wire, and a text for people. */
export const REFUSALS: Readonly<Record<RefusalReason, readonly [number: number, text: string]>> = refusals;

/**
 * The messages of a file's stream. Sender: `offer`, after `accept` exactly `size` bytes of content without framing, then
 * `digest`. Receiver: `accept` or `refused`, at last `stored` or `refused`.
 *
 * | type | message | body |
 * |---|---|---|
 * | 0x01 | offer | size (64), name (8-bit length, UTF-8) |
 * | 0x02 | accept | – |
 * | 0x03 | digest | SHA-256 of the content (32 bytes) |
 * | 0x04 | stored | size (64), SHA-256 (32 bytes), name it was stored under (8-bit length, UTF-8) |
 * | 0x05 | refused | reason (8), bytes of content received (64), text (8-bit length, UTF-8) |
 */
export type FileMessage =
  | { readonly type: 'offer'; readonly size: number; readonly name: string }
  | { readonly type: 'accept' }
  | { readonly type: 'digest'; readonly sha256: Uint8Array }
  | { readonly type: 'stored'; readonly size: number; readonly sha256: Uint8Array; readonly name: string }
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly size: number; readonly text: string };

const TYPES = { offer: 0x01, accept: 0x02, digest: 0x03, stored: 0x04, refused: 0x05 } as const satisfies Record<
  FileMessage['type'],
  number
>;
const TYPE_NAMES = new Map<number, FileMessage['type']>(Object.entries(TYPES).map(([name, type]) => [type, name as FileMessage['type']]));
const REASON_NAMES = new Map<number, RefusalReason>(Object.entries(REFUSALS).map(([name, [number]]) => [number, name as RefusalReason]));

/** Encodes a message. @throws RangeError for a size, digest or text that no message can carry */
export function encodeFileMessage(message: FileMessage): Uint8Array {
  const length = bodyLength(message);
  const bytes = new Uint8Array(FILE_HEADER_LENGTH + length);
  const writer = new Writer(bytes).u8(TYPES[message.type]).u16(length);
  switch (message.type) {
    case 'offer':
      writer.count(message.size).text(message.name);
      break;
    case 'accept':
      break;
    case 'digest':
      writer.fixed(message.sha256, DIGEST_LENGTH, 'sha256');
      break;
    case 'stored':
      writer.count(message.size).fixed(message.sha256, DIGEST_LENGTH, 'sha256').text(message.name);
      break;
    case 'refused':
      writer.u8(REFUSALS[message.reason][0]).count(message.size).text(message.text);
      break;
    default:
      message satisfies never;
  }
  return bytes;
}

function bodyLength(message: FileMessage): number {
  switch (message.type) {
    case 'offer':
      return 8 + textLength(message.name);
    case 'accept':
      return 0;
    case 'digest':
      return DIGEST_LENGTH;
    case 'stored':
      return 8 + DIGEST_LENGTH + textLength(message.name);
    case 'refused':
      return 9 + textLength(message.text);
    default:
      return message satisfies never;
  }
}

/** @throws DecodeError `wire.unknown-critical`, `wire.truncated`, `wire.trailing`, `wire.invalid` */
function decodeBody(type: number, body: Uint8Array): FileMessage {
  const reader = new Reader(body);
  const message = readBody(TYPE_NAMES.get(type), reader, type);
  reader.end();
  return message;
}

function readBody(name: FileMessage['type'] | undefined, reader: Reader, type: number): FileMessage {
  switch (name) {
    case 'offer':
      return { type: name, size: reader.count(), name: reader.text() };
    case 'accept':
      return { type: name };
    case 'digest':
      return { type: name, sha256: reader.bytes(DIGEST_LENGTH).slice() };
    case 'stored':
      return { type: name, size: reader.count(), sha256: reader.bytes(DIGEST_LENGTH).slice(), name: reader.text() };
    case 'refused':
      return { type: name, reason: REASON_NAMES.get(reader.u8()) ?? 'unknown', size: reader.count(), text: reader.text() };
    case undefined:
      throw new DecodeError('wire.unknown-critical', `unknown file message 0x${type.toString(16)}`, 0);
    default:
      return name satisfies never;
  }
}

/** A message, and what followed it in the bytes it ended in: a view. */
export interface ReadMessage {
  readonly message: FileMessage;
  readonly rest: Uint8Array;
}

/** Joins the bytes of a stream to messages. A length is checked before anything is allocated or waited for. */
export class FileMessageReader {
  readonly #header = new Uint8Array(FILE_HEADER_LENGTH);
  #headerLength = 0;
  #body: Uint8Array | undefined;
  #bodyLength = 0;

  /**
   * Takes bytes, which are copied where they are kept; undefined until a message is complete.
   * @throws DecodeError `wire.unknown-critical`, `wire.too-long`, or what is wrong with the body
   */
  push(bytes: Uint8Array): ReadMessage | undefined {
    let rest = bytes;
    if (this.#body === undefined) {
      const taken = Math.min(FILE_HEADER_LENGTH - this.#headerLength, rest.length);
      this.#header.set(rest.subarray(0, taken), this.#headerLength);
      this.#headerLength += taken;
      rest = rest.subarray(taken);
      if (this.#headerLength < FILE_HEADER_LENGTH) return undefined;
      this.#body = new Uint8Array(this.#checkedLength());
    }
    const body = this.#body;
    const taken = Math.min(body.length - this.#bodyLength, rest.length);
    body.set(rest.subarray(0, taken), this.#bodyLength);
    this.#bodyLength += taken;
    if (this.#bodyLength < body.length) return undefined;
    this.#headerLength = 0;
    this.#bodyLength = 0;
    this.#body = undefined;
    return { message: decodeBody(this.#header[0] as number, body), rest: rest.subarray(taken) };
  }

  #checkedLength(): number {
    const reader = new Reader(this.#header);
    const type = reader.u8();
    const length = reader.u16();
    if (!TYPE_NAMES.has(type)) throw new DecodeError('wire.unknown-critical', `unknown file message 0x${type.toString(16)}`, 0);
    if (length > MAX_FILE_BODY_LENGTH)
      throw new DecodeError('wire.too-long', `a file message of ${length} bytes, ${MAX_FILE_BODY_LENGTH} are allowed`, 1);
    return length;
  }
}
