import { MESSAGE_HEADER_LENGTH, type Message, MessageType, Reader, decodeBody } from '@matryoshka/wire';
import type { Opened } from './witness.ts';

/** A message as a node was handed it, whole. */
export interface Handed {
  readonly atMs: number;
  readonly key: number;
  readonly message: Message;
  /** All of it, header included. */
  readonly bytes: Uint8Array;
}

/** The messages in all records, those that were cut put together again (docs/protocol.md §4.5). */
export function messagesIn(opened: readonly Opened[]): Handed[] {
  const handed: Handed[] = [];
  const parted = new Map<number, Uint8Array>();
  for (const { atMs, key, kind, plaintext } of opened) {
    if (kind !== 'record') continue;
    const read = (bytes: Uint8Array): void => {
      const message = decodeBody(bytes[0] as number, bytes.subarray(MESSAGE_HEADER_LENGTH), 0);
      if (message !== undefined) handed.push({ atMs, key, message, bytes });
    };
    const reader = new Reader(plaintext);
    while (reader.remaining >= MESSAGE_HEADER_LENGTH) {
      const at = reader.offset;
      const type = reader.u8();
      if (type === MessageType.padding) break;
      const body = reader.bytes(reader.u16());
      if (type !== MessageType.part) {
        read(plaintext.subarray(at, reader.offset));
        continue;
      }
      const whole = joined(parted.get(key), body);
      const missing = ((whole[1] as number) << 8) + (whole[2] as number) + MESSAGE_HEADER_LENGTH - whole.length;
      if (missing > 0) parted.set(key, whole);
      else {
        parted.delete(key);
        read(whole);
      }
    }
  }
  return handed;
}

function joined(before: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  return before === undefined ? bytes : Buffer.concat([before, bytes]);
}

/** What a node was handed to pass on, or to take as the end of a relay link: ciphertext to all but its two ends. */
export function carriedIn({ message }: Handed): Uint8Array | undefined {
  if (message.type === 'relay-data') return message.bytes;
  if (message.type === 'relay-create') return message.request;
  return message.type === 'relay-status' && message.status === 'accepted' ? message.answer : undefined;
}
