import { DecodeError } from '../errors.ts';

/**
 * Message types (docs/protocol.md §6). Types below 0x80 are critical: who does not know one ends the session. The
 * others are skipped by who does not know them.
 */
export const MessageType = {
  /** All that is left of the record; it has no length. */
  padding: 0x00,
  sessionNew: 0x01,
  sessionResume: 0x02,
  resumed: 0x03,
  resumeRefused: 0x04,
  hello: 0x05,
  acknowledge: 0x06,
  ping: 0x07,
  pong: 0x08,
  keyUpdate: 0x09,
  goodbye: 0x0a,
  part: 0x0b,
  shape: 0x0c,
  streamOpen: 0x10,
  streamData: 0x11,
  streamCredit: 0x12,
  streamEnd: 0x13,
  streamReset: 0x14,
  relayCreate: 0x20,
  relayStatus: 0x21,
  relayData: 0x22,
  relayCredit: 0x23,
  relayCreditReturn: 0x24,
  relayClose: 0x25,
  relayRegister: 0x26,
  relayMeet: 0x27,
  cover: 0x81,
} as const;

/** Type u8 and body length u16 (docs/protocol.md §6). */
export const MESSAGE_HEADER_LENGTH = 3;

/** Stream data: header and stream id u32, then the bytes (docs/protocol.md §6.3). */
export const STREAM_DATA_OVERHEAD: number = MESSAGE_HEADER_LENGTH + 4;

/** Relay data: header, port u64 and flags u8, then the bytes (docs/protocol.md §6.4). */
export const RELAY_DATA_OVERHEAD: number = MESSAGE_HEADER_LENGTH + 9;

/** Bit of the flags of relay data: the carried message goes on in the next relay data of this port. */
export const RELAY_DATA_MORE = 0x01;

// Numbered messages are kept until acknowledged and sent again after a resume (docs/protocol.md §5).
const NUMBERED: ReadonlySet<number> = new Set([
  MessageType.hello,
  MessageType.goodbye,
  MessageType.part,
  MessageType.shape,
  MessageType.streamOpen,
  MessageType.streamData,
  MessageType.streamEnd,
  MessageType.streamReset,
  MessageType.relayCreate,
  MessageType.relayStatus,
  MessageType.relayData,
  MessageType.relayCreditReturn,
  MessageType.relayClose,
  MessageType.relayRegister,
  MessageType.relayMeet,
]);

const numbered: readonly boolean[] = Array.from({ length: 256 }, (_, type) => NUMBERED.has(type));

/** Whether a record with a message of this type is counted, kept and acknowledged (docs/protocol.md §5). */
export function isNumbered(type: number): boolean {
  return numbered[type] as boolean;
}

/** Whether who does not know this type has to end the session. */
export function isCritical(type: number): boolean {
  return type < 0x80;
}

/** @throws DecodeError always: `wire.unknown-critical` */
export function unknownCritical(type: number, offset: number): never {
  throw new DecodeError('wire.unknown-critical', `unknown critical message type 0x${type.toString(16).padStart(2, '0')}`, offset);
}
