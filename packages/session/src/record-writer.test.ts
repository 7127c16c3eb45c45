import { MESSAGE_HEADER_LENGTH, type Message, Reader, decodeMessage, messageLength } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detachedProvider } from '../test/detached-provider.ts';
import { type CryptoProvider, TAG_LENGTH } from './crypto.ts';
import { Delivery } from './delivery.ts';
import { portableProvider } from './portable/provider.ts';
import { ACKNOWLEDGE_LENGTH, MAX_OWN_PLAINTEXT_LENGTH, MAX_PLAINTEXT_LENGTH, RecordWriter } from './record-writer.ts';
import { RecordKeys } from './records.ts';
import type { SealedRecord } from './sealed-record.ts';
import { SLAB_LENGTH, type Slab, SlabPool } from './slab.ts';

const KEY = new Uint8Array(32).fill(9);
const ACKNOWLEDGE: Message = { type: 'acknowledge', delivered: 5 };
const END: Message = { type: 'stream-end', streamId: 7 };

/** A pool that knows how many slabs are out, and how many there ever were. */
class CountingPool extends SlabPool {
  readonly seen = new Set<Slab>();
  out = 0;

  override take(): Slab {
    this.out++;
    const slab = super.take();
    this.seen.add(slab);
    return slab;
  }

  override give(slab: Slab): void {
    this.out--;
    super.give(slab);
  }
}

/** A copy of the bytes that go out. */
function bytesOf(record: SealedRecord): Uint8Array {
  return Uint8Array.from(Buffer.concat(record.parts));
}

/** Whether the memory of a record that is in no slab is gone. */
function isFreed(record: SealedRecord): boolean {
  const [ciphertext] = record.parts as readonly [Uint8Array<ArrayBuffer>];
  return ciphertext.buffer.detached;
}

function setUp(provider: CryptoProvider = portableProvider): {
  pool: CountingPool;
  writer: RecordWriter;
  keys: RecordKeys;
  open: (record: SealedRecord) => Uint8Array;
} {
  const pool = new CountingPool();
  const receiver = new RecordKeys(portableProvider, 'chacha20poly1305', KEY);
  return {
    pool,
    writer: new RecordWriter(pool),
    keys: new RecordKeys(provider, 'chacha20poly1305', KEY),
    open: (record) => receiver.open(bytesOf(record)),
  };
}

function messagesOf(plaintext: Uint8Array): (Message | undefined)[] {
  const reader = new Reader(plaintext);
  const messages: (Message | undefined)[] = [];
  while (reader.remaining > 0) messages.push(decodeMessage(reader));
  return messages;
}

describe('a record writer', () => {
  test('packs messages into one record, in order', () => {
    const { writer, keys, open } = setUp();
    expect(writer.pending).toBe(false);
    writer.message(END);
    writer.streamData(7, 5);
    writer.carried(Uint8Array.of(1, 2));
    writer.carried(Uint8Array.of(3, 4, 5));
    writer.relayData(0x0102_0304, 0xf506_0708, true, 1);
    writer.carried(Uint8Array.of(9));
    writer.relayData(0, 1, false, 1);
    writer.carried(Uint8Array.of(8));
    writer.message(ACKNOWLEDGE);
    expect(writer.pending).toBe(true);
    const record = writer.seal(keys);
    expect([writer.pending, record.counter, record.numbered]).toEqual([false, 0, true]);
    expect(messagesOf(open(record))).toEqual([
      END,
      { type: 'stream-data', streamId: 7, bytes: Uint8Array.of(1, 2, 3, 4, 5) },
      { type: 'relay-data', port: 0x0102_0304_f506_0708n, more: true, bytes: Uint8Array.of(9) },
      { type: 'relay-data', port: 1n, more: false, bytes: Uint8Array.of(8) },
      ACKNOWLEDGE,
    ]);
  });

  test('a record is numbered when one of its messages is', () => {
    const { writer, keys } = setUp();
    writer.message(ACKNOWLEDGE);
    expect(writer.seal(keys)).toMatchObject({ numbered: false, counter: 0 });
    writer.message(ACKNOWLEDGE);
    writer.message(END);
    expect(writer.seal(keys)).toMatchObject({ numbered: true, counter: 1 });
    writer.message(ACKNOWLEDGE);
    expect(writer.seal(keys)).toMatchObject({ numbered: false, counter: 2 });
  });

  test('own messages fill 63 KiB at most, with an acknowledgement behind them', () => {
    const { writer, keys, open } = setUp();
    expect(writer.space).toBe(MAX_OWN_PLAINTEXT_LENGTH - ACKNOWLEDGE_LENGTH);
    const bytes = new Uint8Array(writer.space - MESSAGE_HEADER_LENGTH);
    writer.message({ type: 'cover', bytes });
    expect(writer.space).toBe(0);
    expect(messageLength(ACKNOWLEDGE)).toBe(ACKNOWLEDGE_LENGTH);
    writer.message(ACKNOWLEDGE);
    const plaintext = open(writer.seal(keys));
    expect(plaintext).toHaveLength(MAX_OWN_PLAINTEXT_LENGTH);
    expect(messagesOf(plaintext)).toEqual([{ type: 'cover', bytes }, ACKNOWLEDGE]);
  });

  test('carried messages fill the largest record of a link', () => {
    const { writer, keys } = setUp();
    const length = writer.carriedSpace - MESSAGE_HEADER_LENGTH - 9;
    writer.relayData(0, 1, false, length);
    writer.carried(new Uint8Array(length));
    expect([writer.carriedSpace, writer.space]).toEqual([0, 0]);
    writer.message(ACKNOWLEDGE);
    expect(writer.seal(keys)).toHaveLength(65_535);
    expect(MAX_PLAINTEXT_LENGTH + TAG_LENGTH).toBe(65_535);
  });

  test('pads up to a length, with zeros where an older record was', () => {
    const { writer, keys, open } = setUp();
    writer.message({ type: 'cover', bytes: new Uint8Array(500).fill(0xff) });
    const older = writer.seal(keys);
    open(older);
    older.written();
    writer.message(END);
    writer.pad(200);
    writer.pad(100);
    const plaintext = open(writer.seal(keys));
    expect(plaintext).toHaveLength(200);
    expect([...plaintext.subarray(messageLength(END))].every((byte) => byte === 0)).toBe(true);
    expect(messagesOf(plaintext)).toEqual([END, undefined]);
  });

  test('a message that cannot be encoded leaves the record as it was', () => {
    const { writer, keys, open } = setUp();
    writer.message(END);
    expect(() => writer.message({ type: 'stream-credit', streamId: 1, total: -1 })).toThrow(RangeError);
    writer.message(ACKNOWLEDGE);
    expect(messagesOf(open(writer.seal(keys)))).toEqual([END, ACKNOWLEDGE]);
  });

  test('nothing assembled is nothing to seal', () => {
    const { writer, keys } = setUp();
    expect(() => writer.seal(keys)).toThrow(expect.objectContaining({ code: 'bug' }) as Error);
    expect(keys.counter).toBe(0);
  });

  test('rests without a slab, but not in the middle of a record', () => {
    const { pool, writer, keys } = setUp();
    expect(pool.out).toBe(0);
    writer.message(ACKNOWLEDGE);
    writer.rest();
    expect(pool.out).toBe(1);
    writer.seal(keys).written();
    writer.rest();
    expect(pool.out).toBe(0);
    writer.message(ACKNOWLEDGE);
    writer.discard();
    expect([pool.out, writer.pending, pool.seen.size]).toEqual([0, false, 1]);
  });

  test('records that wait for their acknowledgement share a slab, though the writer rests after each', () => {
    const { pool, writer, keys } = setUp();
    const records = Array.from({ length: 1000 }, () => {
      writer.message(END);
      const record = writer.seal(keys);
      record.written();
      writer.rest();
      return record;
    });
    expect(pool.seen.size).toBe(1);
    for (const record of records) record.acknowledged();
    writer.rest();
    expect(pool.out).toBe(0);
  });

  test('records lie one behind the other; a slab nobody else looks at is used from its front again', () => {
    const { pool, writer, keys } = setUp();
    const seal = (): SealedRecord => {
      writer.message(END);
      return writer.seal(keys);
    };
    const records = [seal(), seal()];
    expect(records.map(({ parts }) => parts.map((part) => part.byteOffset))).toEqual([[0], [messageLength(END) + TAG_LENGTH]]);
    for (const record of records) {
      record.written();
      record.acknowledged();
    }
    expect([seal().parts[0]?.byteOffset, pool.seen.size]).toEqual([0, 1]);
  });

  test('four largest records share a slab', () => {
    const { pool, writer, keys } = setUp();
    for (let i = 0; i < 5; i++) {
      const length = writer.carriedSpace - MESSAGE_HEADER_LENGTH - 9;
      writer.relayData(0, 1, false, length);
      writer.carried(new Uint8Array(length));
      writer.message(ACKNOWLEDGE);
      writer.seal(keys);
      expect(pool.seen.size).toBe(i < 4 ? 1 : 2);
    }
    expect(4 * 65_535).toBeLessThanOrEqual(SLAB_LENGTH);
  });

  test('a record sealed into memory of its own opens as any other, and takes nothing of the slab', () => {
    const { pool, writer, keys, open } = setUp(detachedProvider(portableProvider, 1000));
    const bytes = new Uint8Array(1000).fill(7);
    writer.message({ type: 'cover', bytes });
    const large = writer.seal(keys);
    expect([large.slab, large.parts.length, large.length, large.numbered]).toEqual([undefined, 2, 1003 + TAG_LENGTH, false]);
    writer.message(END);
    const small = writer.seal(keys);
    // It is where the large one was put together.
    expect(small.parts.map((part) => part.byteOffset)).toEqual([0]);
    expect([large.counter, small.counter, small.numbered]).toEqual([0, 1, true]);
    expect([...messagesOf(open(large)), ...messagesOf(open(small))]).toEqual([{ type: 'cover', bytes }, END]);
    small.written();
    small.acknowledged();
    writer.rest();
    // The large one is not written yet, and no slab waits for that.
    expect([pool.out, bytesOf(large).length]).toEqual([0, large.length]);
    large.written();
    expect(large.parts[0]).toHaveLength(0);
  });

  describe.each([
    ['in slabs', portableProvider],
    ['in memory of their own', detachedProvider(portableProvider, 0)],
  ])('sealed again, %s', (_where, provider) => {
    const nextKeys = (): [RecordKeys, RecordKeys] => [
      new RecordKeys(provider, 'aes256gcm', new Uint8Array(32).fill(10)),
      new RecordKeys(provider, 'aes256gcm', new Uint8Array(32).fill(10)),
    ];

    test('a record has the same contents under another key, and no block in common', () => {
      const { writer, keys, open } = setUp(provider);
      const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);
      writer.streamData(3, bytes.length);
      writer.carried(bytes);
      writer.message(END);
      writer.message(ACKNOWLEDGE);
      const record = writer.seal(keys);
      const before = bytesOf(record);
      const plaintext = open(record).slice();
      const [sealing, opening] = nextKeys();
      const again = writer.reseal(record, sealing);
      expect([again.length, again.counter, again.numbered]).toEqual([record.length, 0, true]);
      const after = bytesOf(again);
      const blocks = new Set<string>();
      for (let at = 0; at + 16 <= before.length; at += 16) blocks.add(Buffer.from(before.subarray(at, at + 16)).toString('hex'));
      for (let at = 0; at + 16 <= after.length; at += 16) {
        expect(blocks.has(Buffer.from(after.subarray(at, at + 16)).toString('hex'))).toBe(false);
      }
      expect(opening.open(after)).toEqual(plaintext);
      // The old one is as it was: it may have to be sealed once more.
      expect(bytesOf(record)).toEqual(before);
    });

    test('again and again, over link after link, it stays the same; the largest one, too', () => {
      const { writer, keys, pool } = setUp(provider);
      const length = writer.carriedSpace - MESSAGE_HEADER_LENGTH - 9;
      writer.relayData(1, 2, true, length);
      writer.carried(new Uint8Array(length).fill(0xab));
      writer.message(ACKNOWLEDGE);
      let record = writer.seal(keys);
      expect(record.length).toBe(65_535);
      const delivery = new Delivery();
      delivery.retain(record);
      for (let link = 0; link < 5; link++) {
        const [sealing, opening] = nextKeys();
        delivery.resume(0);
        record.written();
        record = writer.reseal(record, sealing);
        delivery.resealed(record);
        const plaintext = opening.open(bytesOf(record));
        expect([plaintext.length, plaintext[0], plaintext[20], plaintext.at(-1)]).toEqual([65_519, 0x22, 0xab, 5]);
      }
      record.written();
      delivery.acknowledge(1);
      writer.rest();
      expect([pool.out, delivery.retainedBytes]).toEqual([0, 0]);
    });

    test('beside a record that is begun: by a sibling, from the same pool', () => {
      const { writer, keys, pool, open } = setUp(provider);
      writer.message(END);
      const record = writer.seal(keys);
      writer.message(ACKNOWLEDGE);
      expect(() => writer.reseal(record, keys)).toThrow(expect.objectContaining({ code: 'bug' }) as Error);
      const [sealing, opening] = nextKeys();
      const sibling = writer.sibling();
      const again = sibling.reseal(record, sealing);
      expect(messagesOf(opening.open(bytesOf(again)))).toEqual([END]);
      open(record);
      const begun = writer.seal(keys);
      expect(messagesOf(open(begun))).toEqual([ACKNOWLEDGE]);
      for (const each of [record, again, begun]) {
        each.written();
        each.acknowledged();
      }
      sibling.discard();
      writer.discard();
      expect(pool.out).toBe(0);
    });

    test('only what is kept: a record that is acknowledged, or has no numbered message, cannot be', () => {
      const { writer, keys } = setUp(provider);
      writer.message(ACKNOWLEDGE);
      const unnumbered = writer.seal(keys);
      writer.message(END);
      const numbered = writer.seal(keys);
      expect(() => unnumbered.reopen(new Uint8Array(100))).toThrow(TypeError);
      expect(numbered.reopen(new Uint8Array(100))).toBe(messageLength(END));
      numbered.acknowledged();
      expect(() => numbered.reopen(new Uint8Array(100))).toThrow(TypeError);
    });

    test('with a key that is retired: it is overwritten when the last record kept under it is acknowledged', () => {
      const { writer, keys } = setUp(provider);
      const records = [1, 2].map(() => {
        writer.message(END);
        return writer.seal(keys);
      });
      keys.retire();
      const [first, second] = records as [SealedRecord, SealedRecord];
      expect(first.reopen(new Uint8Array(100))).toBe(messageLength(END));
      first.acknowledged();
      expect(second.reopen(new Uint8Array(100))).toBe(messageLength(END));
      second.acknowledged();
      expect(() => keys.seal(new Uint8Array(1), new Uint8Array(17))).toThrow(/wiped/);
    });
  });

  test.each([
    ['in slabs', portableProvider],
    ['in memory of their own', detachedProvider(portableProvider, 0)],
    ['in both', detachedProvider(portableProvider, 2000)],
  ])(
    'records %s: whatever is written and acknowledged, nothing is overwritten before, everything is given back after',
    (_where, provider) => {
      const operation = fc.oneof(
        { weight: 5, arbitrary: fc.record({ type: fc.constant('send' as const), value: fc.integer({ min: 0, max: 60_000 }) }) },
        fc.record({ type: fc.constant('control' as const), value: fc.integer({ min: 0, max: 3000 }) }),
        { weight: 2, arbitrary: fc.record({ type: fc.constant('written' as const), value: fc.integer({ min: 1, max: 8 }) }) },
        { weight: 2, arbitrary: fc.record({ type: fc.constant('acknowledge' as const), value: fc.integer({ min: 1, max: 8 }) }) },
        fc.record({ type: fc.constant('rest' as const), value: fc.constant(0) }),
      );
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
          const { pool, writer, keys } = setUp(provider);
          const delivery = new Delivery();
          const unwritten: SealedRecord[] = [];
          const kept = new Map<SealedRecord, Uint8Array>();
          let written = 0;
          let acknowledged = 0;
          const write = (count: number): void => {
            for (const record of unwritten.splice(0, count)) {
              expect(bytesOf(record)).toEqual(kept.get(record));
              record.written();
              written++;
            }
          };
          for (const { type, value } of operations) {
            if (type === 'send' || type === 'control') {
              if (type === 'control') writer.message({ type: 'cover', bytes: new Uint8Array(value) });
              else {
                writer.streamData(1, value);
                writer.carried(new Uint8Array(value));
              }
              const record = writer.seal(keys);
              if (record.numbered) delivery.retain(record);
              unwritten.push(record);
              kept.set(record, bytesOf(record));
            } else if (type === 'written') {
              write(value);
            } else if (type === 'acknowledge') {
              acknowledged = Math.min(delivery.sent, acknowledged + value);
              delivery.acknowledge(acknowledged);
            } else {
              writer.rest();
            }
            for (const record of delivery.retained) expect(bytesOf(record)).toEqual(kept.get(record));
          }
          write(Number.POSITIVE_INFINITY);
          delivery.acknowledge(delivery.sent);
          writer.rest();
          expect([pool.out, written, delivery.retainedBytes]).toEqual([0, kept.size, 0]);
          for (const record of kept.keys()) expect(record.slab === undefined && !isFreed(record)).toBe(false);
        }),
        { numRuns: 40 },
      );
    },
  );
});
