import {
  MESSAGE_HEADER_LENGTH,
  type Message,
  MessageType,
  Reader,
  Writer,
  decodeMessage,
  encodeMessage,
  messageLength,
} from '@matryoshka/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TAG_LENGTH } from './crypto.ts';
import { portableProvider } from './portable/provider.ts';
import { RecordWriter } from './record-writer.ts';
import { RecordKeys } from './records.ts';
import type { SealedRecord } from './sealed-record.ts';
import { SlabPool } from './slab.ts';

// docs/protocol.md §4.5: a session's messages as one sequence of bytes, cut into records of one length.

const KEY = new Uint8Array(32).fill(9);

function setUp(recordLength: number): { writer: RecordWriter; seal: () => Uint8Array } {
  const writer = new RecordWriter(new SlabPool());
  const keys = new RecordKeys(portableProvider, 'chacha20poly1305', KEY);
  const receiver = new RecordKeys(portableProvider, 'chacha20poly1305', KEY);
  writer.shape(recordLength);
  const seal = (): Uint8Array => {
    writer.pad(recordLength - TAG_LENGTH);
    const record: SealedRecord = writer.seal(keys);
    const bytes = Uint8Array.from(Buffer.concat(record.parts));
    expect(bytes.length).toBe(recordLength);
    expect(record.numbered).toBe(true);
    return receiver.open(bytes).slice();
  };
  return { writer, seal };
}

/** The bytes of all messages in records, those of parts joined to what they are parts of; padding left out. */
function joined(records: readonly Uint8Array[]): Uint8Array {
  const bytes: Uint8Array[] = [];
  for (const record of records) {
    const reader = new Reader(record);
    while (reader.remaining > 0) {
      const from = reader.offset;
      const message = decodeMessage(reader);
      if (message !== undefined) bytes.push(message.type === 'part' ? message.bytes.slice() : record.slice(from, reader.offset));
    }
  }
  return Uint8Array.from(Buffer.concat(bytes));
}

function encoded(message: Message): Uint8Array {
  const bytes = new Uint8Array(messageLength(message));
  encodeMessage(new Writer(bytes), message);
  return bytes;
}

/** Carried bytes in pieces, or a control message. */
type Step = { readonly port: bigint; readonly bytes: Uint8Array; readonly at: number } | { readonly control: Message };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40_000 })),
      at: fc.nat(),
      port: fc.constant(0x1_0000_0002n),
    })
    .map(({ length, at, port }) => ({ port, at: at % (length + 1), bytes: Uint8Array.from({ length }, (_, i) => i * 7 + length) })),
  fc.integer({ min: 0, max: 3000 }).map((length) => ({
    control: {
      type: 'relay-create',
      port: 5n,
      hopsLeft: 1,
      attemptsLeft: 2,
      budgetMs: 3,
      window: length,
      destination: { peer: new Uint8Array(32) },
      request: new Uint8Array(1280).fill(length),
    } as const,
  })),
);

test('any messages and any length: every record has it, and joined they are the messages', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2048, max: 16_384 }), fc.array(steps, { maxLength: 12 }), (recordLength, list) => {
      const { writer, seal } = setUp(recordLength);
      const records: Uint8Array[] = [];
      const expected: Uint8Array[] = [];
      const room = (length: number): void => {
        while (length > writer.space && !writer.cuts) records.push(seal());
      };
      for (const step of list) {
        if ('control' in step) {
          const length = messageLength(step.control);
          room(length);
          if (length > writer.space) writer.cut(step.control);
          else writer.message(step.control);
          expected.push(encoded(step.control));
        } else {
          room(MESSAGE_HEADER_LENGTH + 9 + step.bytes.length);
          writer.relayData(1, 2, false, step.bytes.length);
          writer.carried(step.bytes.subarray(0, step.at));
          writer.carried(step.bytes.subarray(step.at));
          expected.push(encoded({ type: 'relay-data', port: step.port, more: false, bytes: step.bytes }));
        }
      }
      while (writer.pending) records.push(seal());
      expect(Buffer.compare(joined(records), Buffer.concat(expected))).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('a message that fits is not cut, one that does not fills the record', () => {
  const { writer, seal } = setUp(2048);
  const first = writer.space;
  writer.relayData(1, 2, false, first - 12);
  writer.carried(new Uint8Array(first - 12));
  expect(writer.space).toBe(0);
  expect([...seal().subarray(0, 1)]).toEqual([MessageType.relayData]);
  expect(writer.pending).toBe(false);

  writer.relayData(1, 2, false, first - 11);
  writer.carried(new Uint8Array(first - 11));
  expect(writer.space).toBe(0);
  expect(writer.cuts).toBe(false);
  expect([...seal().subarray(0, 1)]).toEqual([MessageType.part]);
  // Four bytes are left, and a part of their own.
  expect(writer.length).toBe(MESSAGE_HEADER_LENGTH + 4);
});

test('what is left of a message is forgotten with the record', () => {
  const { writer, seal } = setUp(2048);
  writer.relayData(1, 2, false, 5000);
  writer.carried(new Uint8Array(5000));
  seal();
  writer.discard();
  expect(writer.pending).toBe(false);
  writer.message({ type: 'goodbye', reason: 'closed' });
  expect(decodeMessage(new Reader(seal()))).toEqual({ type: 'goodbye', reason: 'closed' });
  expect(writer.pending).toBe(false);
});

test('records as long as they like again: what is left of a message goes out in one of them', () => {
  const { writer, seal } = setUp(2048);
  writer.relayData(1, 2, false, 9000);
  writer.carried(new Uint8Array(9000));
  seal();
  writer.shape(0);
  // What was begun keeps its length, and nothing comes before the rest.
  expect(writer.length).toBeLessThanOrEqual(2048 - TAG_LENGTH);
  expect([writer.space, writer.carriedSpace, writer.cuts]).toEqual([0, 0, false]);
  seal();
  expect(writer.length).toBeGreaterThan(4000);
});
