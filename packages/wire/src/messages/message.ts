import { DecodeError } from '../errors.ts';
import { HANDSHAKE_REQUEST_LENGTH } from '../handshake-layout.ts';
import { Reader } from '../reader.ts';
import { textLength, type Writer } from '../writer.ts';
import { MESSAGE_HEADER_LENGTH, MessageType, RELAY_DATA_MORE, unknownCritical } from './header.ts';
import * as relay from './relay-messages.ts';
import * as session from './session-messages.ts';
import type * as stream from './stream-messages.ts';

/** Every message of a session (docs/protocol.md §6). */
export type Message =
  | session.SessionNew
  | session.SessionResume
  | session.Resumed
  | session.ResumeRefused
  | session.Hello
  | session.Acknowledge
  | session.Ping
  | session.Pong
  | session.KeyUpdate
  | session.Goodbye
  | session.Part
  | session.Shape
  | session.Cover
  | stream.StreamOpen
  | stream.StreamData
  | stream.StreamCredit
  | stream.StreamEnd
  | stream.StreamReset
  | relay.RelayCreate
  | relay.RelayStatus
  | relay.RelayData
  | relay.RelayCredit
  | relay.RelayCreditReturn
  | relay.RelayClose
  | relay.RelayRegister
  | relay.RelayMeet;

type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;

/** How one kind of message is written: its number, the length of its body, and the body. */
interface Codec<M> {
  readonly type: number;
  length(message: M): number;
  encode(writer: Writer, message: M): void;
  decode(reader: Reader): M;
}

const PORT_LENGTH = 8;
const bodyReader = new Reader();

const CODECS: { readonly [T in Message['type']]: Codec<MessageOf<T>> } = {
  'session-new': {
    type: MessageType.sessionNew,
    length: () => 2,
    encode: (w, m) => session.encodeRecordLength(w, m.recordLength),
    decode: (r) => ({ type: 'session-new', recordLength: session.decodeRecordLength(r) }),
  },
  'session-resume': {
    type: MessageType.sessionResume,
    length: () => session.SESSION_ID_LENGTH + 8 + session.RESUME_PROOF_LENGTH,
    encode: (w, m) =>
      w.fixed(m.sessionId, session.SESSION_ID_LENGTH, 'session id').count(m.delivered).fixed(m.proof, session.RESUME_PROOF_LENGTH, 'proof'),
    decode: (r) => ({
      type: 'session-resume',
      sessionId: r.bytes(session.SESSION_ID_LENGTH),
      delivered: r.count(),
      proof: r.bytes(session.RESUME_PROOF_LENGTH),
    }),
  },
  'resumed': {
    type: MessageType.resumed,
    length: () => 8 + session.RESUME_PROOF_LENGTH,
    encode: (w, m) => w.count(m.delivered).fixed(m.proof, session.RESUME_PROOF_LENGTH, 'proof'),
    decode: (r) => ({ type: 'resumed', delivered: r.count(), proof: r.bytes(session.RESUME_PROOF_LENGTH) }),
  },
  'resume-refused': {
    type: MessageType.resumeRefused,
    length: () => 2,
    encode: (w, m) => session.encodeReason(w, m.reason),
    decode: (r) => ({ type: 'resume-refused', reason: session.decodeReason(r) }),
  },
  'hello': { type: MessageType.hello, length: session.helloLength, encode: session.encodeHello, decode: session.decodeHello },
  'acknowledge': {
    type: MessageType.acknowledge,
    length: () => 8,
    encode: (w, m) => w.count(m.delivered),
    decode: (r) => ({ type: 'acknowledge', delivered: r.count() }),
  },
  'ping': {
    type: MessageType.ping,
    length: () => session.PING_LENGTH,
    encode: (w, m) => w.fixed(m.token, session.PING_LENGTH, 'token'),
    decode: (r) => ({ type: 'ping', token: r.bytes(session.PING_LENGTH) }),
  },
  'pong': {
    type: MessageType.pong,
    length: () => session.PING_LENGTH,
    encode: (w, m) => w.fixed(m.token, session.PING_LENGTH, 'token'),
    decode: (r) => ({ type: 'pong', token: r.bytes(session.PING_LENGTH) }),
  },
  'key-update': {
    type: MessageType.keyUpdate,
    length: session.keyUpdateLength,
    encode: session.encodeKeyUpdate,
    decode: session.decodeKeyUpdate,
  },
  'goodbye': {
    type: MessageType.goodbye,
    length: () => 2,
    encode: (w, m) => session.encodeReason(w, m.reason),
    decode: (r) => ({ type: 'goodbye', reason: session.decodeReason(r) }),
  },
  'part': {
    type: MessageType.part,
    length: (m) => m.bytes.length,
    encode: (w, m) => w.bytes(m.bytes),
    decode: (r) => ({ type: 'part', bytes: r.rest() }),
  },
  'shape': {
    type: MessageType.shape,
    length: () => 2,
    encode: (w, m) => session.encodeRecordLength(w, m.recordLength),
    decode: (r) => ({ type: 'shape', recordLength: session.decodeRecordLength(r) }),
  },
  'cover': {
    type: MessageType.cover,
    length: (m) => m.bytes.length,
    encode: (w, m) => w.bytes(m.bytes),
    decode: (r) => ({ type: 'cover', bytes: r.rest() }),
  },

  'stream-open': {
    type: MessageType.streamOpen,
    length: (m) => 8 + textLength(m.protocol),
    encode: (w, m) => w.u32(m.streamId).u32(m.window).text(m.protocol),
    decode: (r) => ({ type: 'stream-open', streamId: r.u32(), window: r.u32(), protocol: r.text() }),
  },
  'stream-data': {
    type: MessageType.streamData,
    length: (m) => 4 + m.bytes.length,
    encode: (w, m) => w.u32(m.streamId).bytes(m.bytes),
    decode: (r) => ({ type: 'stream-data', streamId: r.u32(), bytes: r.rest() }),
  },
  'stream-credit': {
    type: MessageType.streamCredit,
    length: () => 12,
    encode: (w, m) => w.u32(m.streamId).count(m.total),
    decode: (r) => ({ type: 'stream-credit', streamId: r.u32(), total: r.count() }),
  },
  'stream-end': {
    type: MessageType.streamEnd,
    length: () => 4,
    encode: (w, m) => w.u32(m.streamId),
    decode: (r) => ({ type: 'stream-end', streamId: r.u32() }),
  },
  'stream-reset': {
    type: MessageType.streamReset,
    length: () => 6,
    encode: (w, m) => session.encodeReason(w.u32(m.streamId), m.reason),
    decode: (r) => ({ type: 'stream-reset', streamId: r.u32(), reason: session.decodeReason(r) }),
  },

  'relay-create': {
    type: MessageType.relayCreate,
    length: relay.relayCreateLength,
    encode: relay.encodeRelayCreate,
    decode: relay.decodeRelayCreate,
  },
  'relay-status': {
    type: MessageType.relayStatus,
    length: relay.relayStatusLength,
    encode: relay.encodeRelayStatus,
    decode: relay.decodeRelayStatus,
  },
  'relay-data': {
    type: MessageType.relayData,
    length: (m) => PORT_LENGTH + 1 + m.bytes.length,
    encode: (w, m) =>
      relay
        .encodePort(w, m.port)
        .u8(m.more ? RELAY_DATA_MORE : 0)
        .bytes(m.bytes),
    decode: (r) => {
      const port = relay.decodePort(r);
      const flags = r.u8();
      if ((flags & ~RELAY_DATA_MORE) !== 0) throw new DecodeError('wire.invalid', 'unknown flags of relay data', r.offset - 1);
      return { type: 'relay-data', port, more: flags === RELAY_DATA_MORE, bytes: r.rest() };
    },
  },
  'relay-credit': {
    type: MessageType.relayCredit,
    length: () => PORT_LENGTH + 8,
    encode: (w, m) => relay.encodePort(w, m.port).count(m.total),
    decode: (r) => ({ type: 'relay-credit', port: relay.decodePort(r), total: r.count() }),
  },
  'relay-credit-return': {
    type: MessageType.relayCreditReturn,
    length: () => PORT_LENGTH + 4,
    encode: (w, m) => relay.encodePort(w, m.port).u32(m.bytes),
    decode: (r) => ({ type: 'relay-credit-return', port: relay.decodePort(r), bytes: r.u32() }),
  },
  'relay-close': {
    type: MessageType.relayClose,
    length: () => PORT_LENGTH + 2,
    encode: (w, m) => session.encodeReason(relay.encodePort(w, m.port), m.reason),
    decode: (r) => ({ type: 'relay-close', port: relay.decodePort(r), reason: session.decodeReason(r) }),
  },
  'relay-register': {
    type: MessageType.relayRegister,
    length: relay.relayRegisterLength,
    encode: relay.encodeRelayRegister,
    decode: relay.decodeRelayRegister,
  },
  'relay-meet': {
    type: MessageType.relayMeet,
    length: () => PORT_LENGTH + 4 + relay.MEETING_TOKEN_LENGTH + HANDSHAKE_REQUEST_LENGTH,
    encode: (w, m) =>
      relay
        .encodePort(w, m.port)
        .u32(m.window)
        .fixed(m.token, relay.MEETING_TOKEN_LENGTH, 'token')
        .fixed(m.request, HANDSHAKE_REQUEST_LENGTH, 'request'),
    decode: (r) => ({
      type: 'relay-meet',
      port: relay.decodePort(r),
      window: r.u32(),
      token: r.bytes(relay.MEETING_TOKEN_LENGTH),
      request: r.bytes(HANDSHAKE_REQUEST_LENGTH),
    }),
  },
};

const byType: readonly (Codec<Message> | undefined)[] = ((): (Codec<Message> | undefined)[] => {
  const list: (Codec<Message> | undefined)[] = [];
  for (const codec of Object.values(CODECS)) list[codec.type] = codec;
  return list;
})();

function codecOf(message: Message): Codec<Message> {
  return CODECS[message.type];
}

/** The number of a message's type. */
export function messageType(message: Message): number {
  return codecOf(message).type;
}

/** Bytes of the whole message, header included. */
export function messageLength(message: Message): number {
  return MESSAGE_HEADER_LENGTH + codecOf(message).length(message);
}

/** Writes header and body. @throws RangeError where it does not fit or a field is out of its range */
export function encodeMessage(writer: Writer, message: Message): void {
  const codec = codecOf(message);
  writer.u8(codec.type).u16(codec.length(message));
  codec.encode(writer, message);
}

/**
 * Decodes one message and goes past it; undefined for padding, which ends the record, and for optional types that are
 * not known. Byte fields borrow from the reader's bytes.
 * @throws DecodeError
 */
export function decodeMessage(reader: Reader): Message | undefined {
  const at = reader.offset;
  const type = reader.u8();
  if (type === MessageType.padding) {
    reader.rest();
    return undefined;
  }
  const body = reader.bytes(reader.u16());
  return decodeBody(type, body, at);
}

/** Decodes a body whose header was read already. @throws DecodeError with offsets within the body */
export function decodeBody(type: number, body: Uint8Array, headerOffset: number): Message | undefined {
  const codec = byType[type];
  if (codec === undefined) return type < 0x80 ? unknownCritical(type, headerOffset) : undefined;
  bodyReader.reset(body);
  const message = codec.decode(bodyReader);
  bodyReader.end();
  return message;
}
