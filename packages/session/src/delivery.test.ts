import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TAG_LENGTH } from './crypto.ts';
import { ACKNOWLEDGE_AFTER_BYTES, Delivery, RETAINED_LIMIT_BYTES } from './delivery.ts';
import { SealedRecord } from './sealed-record.ts';
import { SLAB_LENGTH, type Slab, SlabPool } from './slab.ts';

const INVALID = expect.objectContaining({ code: 'session.acknowledge-invalid' }) as unknown;

/** Numbered records of these lengths, as a writer would place them. */
class Packer {
  readonly #pool = new SlabPool();
  #slab: Slab = this.#pool.take();
  #counter = 0;

  record(length: number): SealedRecord {
    if (this.#slab.used + length > SLAB_LENGTH) this.nextSlab();
    const start = this.#slab.used;
    this.#slab.used += length;
    return new SealedRecord(this.#slab, [this.#slab.bytes.subarray(start, start + length)], this.#counter++, true);
  }

  /** A record in memory of its own. */
  detached(length: number): SealedRecord {
    const ciphertext = new Uint8Array(length - TAG_LENGTH);
    return new SealedRecord(ciphertext, [ciphertext, new Uint8Array(TAG_LENGTH)], this.#counter++, true);
  }

  nextSlab(): void {
    this.#slab = this.#pool.take();
  }
}

describe('delivery', () => {
  test('keeps what was sent, oldest first, until it is acknowledged', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    const records = [100, 200, 300].map((length) => packer.record(length));
    for (const record of records) delivery.retain(record);
    expect([delivery.sent, delivery.retainedBytes, [...delivery.retained]]).toEqual([3, 600, records]);
    delivery.acknowledge(2);
    expect([delivery.sent, delivery.retainedBytes, [...delivery.retained]]).toEqual([3, 300, [records[2]]]);
  });

  test('an acknowledgement is absolute: an older one changes nothing', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    for (let i = 0; i < 3; i++) delivery.retain(packer.record(10));
    delivery.acknowledge(2);
    delivery.acknowledge(0);
    delivery.acknowledge(2);
    expect(delivery.retainedBytes).toBe(10);
    delivery.acknowledge(3);
    expect(delivery.retainedBytes).toBe(0);
  });

  test('an acknowledgement of what was never sent is refused', () => {
    const delivery = new Delivery();
    expect(() => delivery.acknowledge(1)).toThrow(INVALID);
    delivery.retain(new Packer().record(10));
    expect(() => delivery.acknowledge(2)).toThrow(INVALID);
    delivery.acknowledge(1);
    expect(() => delivery.acknowledge(Number.MAX_SAFE_INTEGER)).toThrow(INVALID);
  });

  test('is full from its bound on, and not any more once enough is acknowledged', () => {
    const delivery = new Delivery(1000);
    const packer = new Packer();
    delivery.retain(packer.record(999));
    expect(delivery.full).toBe(false);
    delivery.retain(packer.record(1));
    expect(delivery.full).toBe(true);
    delivery.acknowledge(1);
    expect(delivery.full).toBe(false);
  });

  test('the default bound lets 4 MiB of large records through', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    while (!delivery.full) delivery.retain(packer.record(65_535));
    expect(delivery.retainedBytes).toBeGreaterThanOrEqual(RETAINED_LIMIT_BYTES);
    expect(delivery.retainedBytes).toBeLessThan(RETAINED_LIMIT_BYTES + 65_535);
  });

  test('small records that keep a slab each count as what they keep', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    let slabs = 0;
    while (!delivery.full) {
      delivery.retain(packer.record(30));
      packer.nextSlab();
      slabs++;
    }
    expect((slabs - 1) * SLAB_LENGTH).toBe(RETAINED_LIMIT_BYTES);
    delivery.acknowledge(1);
    expect(delivery.full).toBe(false);
  });

  test('records in memory of their own count as their bytes, and the slabs between them once each', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    // Small ones into one and the same slab, each behind a large one that is in none.
    while (!delivery.full) {
      delivery.retain(packer.detached(60_000));
      delivery.retain(packer.record(30));
    }
    expect(delivery.retainedBytes).toBeGreaterThanOrEqual(RETAINED_LIMIT_BYTES);
    expect(delivery.retainedBytes).toBeLessThan(RETAINED_LIMIT_BYTES + 60_000);
    delivery.acknowledge(2);
    expect(delivery.full).toBe(false);
  });

  test('slabs that are kept count to the bound, however much memory of their own lies between', () => {
    const limit = 4 * SLAB_LENGTH;
    const delivery = new Delivery(limit);
    const packer = new Packer();
    for (let slabs = 1; slabs <= 5; slabs++) {
      expect(delivery.full).toBe(false);
      delivery.retain(packer.detached(100));
      delivery.retain(packer.record(30));
      packer.nextSlab();
    }
    expect(delivery.full).toBe(true);
    // The first one to go is in no slab, the second is the last one in its.
    delivery.acknowledge(1);
    expect(delivery.full).toBe(true);
    delivery.acknowledge(2);
    expect(delivery.full).toBe(false);
  });

  test('tells what it received: nothing to say, later, at once', () => {
    const delivery = new Delivery();
    expect(delivery.due).toBe('no');
    delivery.receive(ACKNOWLEDGE_AFTER_BYTES - 1);
    expect(delivery.due).toBe('later');
    delivery.receive(1);
    expect(delivery.due).toBe('now');
    expect(delivery.tell()).toBe(2);
    expect(delivery.due).toBe('no');
    delivery.receive(1);
    expect([delivery.due, delivery.tell()]).toEqual(['later', 3]);
  });

  test('lets go of everything in the end', () => {
    const delivery = new Delivery();
    const pool = new SlabPool();
    const slab = pool.take();
    const record = new SealedRecord(slab, [slab.bytes.subarray(0, 5)], 0, true);
    delivery.retain(record);
    record.written();
    delivery.release();
    expect([slab.sole, delivery.retainedBytes, [...delivery.retained]]).toEqual([true, 0, []]);
  });

  test('over the next link, what the other side has not received is sealed again, oldest first', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    const records = [100, 200, 300, 400].map((length) => packer.record(length));
    for (const record of records) delivery.retain(record);
    delivery.acknowledge(1);
    expect(delivery.stale).toBeUndefined();
    // It has received one more than it could say.
    delivery.resume(2);
    expect([delivery.stale, [...delivery.retained], delivery.retainedBytes, delivery.sent]).toEqual([records[2], records.slice(2), 700, 4]);
    const again = [packer.record(300), packer.record(400)];
    delivery.resealed(again[0] as SealedRecord);
    expect([delivery.stale, [...delivery.retained]]).toEqual([records[3], [again[0], records[3]]]);
    delivery.resealed(again[1] as SealedRecord);
    expect([delivery.stale, [...delivery.retained], delivery.retainedBytes, delivery.sent]).toEqual([undefined, again, 700, 4]);
    // Numbers go on.
    delivery.retain(packer.record(500));
    expect(delivery.sent).toBe(5);
    delivery.acknowledge(5);
    expect(delivery.retainedBytes).toBe(0);
  });

  test('a link that breaks before all of it went out: what was sealed again, and what was not yet, in one order', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    const records = [10, 20, 30, 40].map((length) => packer.record(length));
    for (const record of records) delivery.retain(record);
    delivery.resume(0);
    const again = [packer.record(10), packer.record(20)];
    for (const record of again) delivery.resealed(record);
    delivery.resume(1);
    expect([...delivery.retained]).toEqual([again[1], records[2], records[3]]);
    expect(delivery.stale).toBe(again[1]);
  });

  test('a count that cannot be is refused, and changes nothing', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    const records = [10, 20, 30].map((length) => packer.record(length));
    for (const record of records) delivery.retain(record);
    delivery.acknowledge(2);
    for (const delivered of [0, 1, 4, Number.MAX_SAFE_INTEGER]) expect(() => delivery.resume(delivered)).toThrow(INVALID);
    expect([[...delivery.retained], delivery.stale, delivery.sent]).toEqual([[records[2]], undefined, 3]);
    delivery.resume(3);
    expect([[...delivery.retained], delivery.stale]).toEqual([[], undefined]);
  });

  test('what was not sent over this link yet cannot be acknowledged', () => {
    const delivery = new Delivery();
    const packer = new Packer();
    for (let i = 0; i < 3; i++) delivery.retain(packer.record(10));
    delivery.resume(1);
    delivery.acknowledge(1);
    expect(() => delivery.acknowledge(2)).toThrow(INVALID);
    delivery.resealed(packer.record(10));
    delivery.acknowledge(2);
    expect(() => delivery.acknowledge(3)).toThrow(INVALID);
  });

  test('received records are counted across links, and told anew where they were not yet', () => {
    const delivery = new Delivery();
    delivery.receive(10);
    delivery.receive(10);
    delivery.tell();
    delivery.receive(10);
    delivery.resume(0);
    expect([delivery.received, delivery.due]).toEqual([3, 'later']);
    delivery.receive(10);
    expect(delivery.tell()).toBe(4);
  });

  test('a record that is sealed again counts its memory once, and the old one is given back', () => {
    const pool = new SlabPool();
    const [old, next] = [pool.take(), pool.take()];
    const record = (slab: Slab, from: number): SealedRecord => new SealedRecord(slab, [slab.bytes.subarray(from, from + 100)], 0, true);
    const delivery = new Delivery(1_000_000);
    const records = [record(old, 0), record(old, 100)];
    for (const each of records) {
      delivery.retain(each);
      each.written();
    }
    delivery.resume(0);
    delivery.resealed(record(next, 0));
    expect([old.sole, old.retained, next.retained, delivery.retainedBytes]).toEqual([false, 1, 1, 200]);
    delivery.resealed(record(next, 100));
    expect([old.sole, old.retained, next.retained, delivery.retainedBytes]).toEqual([true, 0, 2, 200]);
    // In the end it lets go of stale ones as of all others.
    delivery.resume(1);
    delivery.release();
    expect([next.retained, delivery.retainedBytes, delivery.stale, [...delivery.retained]]).toEqual([0, 0, undefined, []]);
  });

  test('does what a list of numbers does', () => {
    const operation = fc.oneof(
      fc.record({ type: fc.constantFrom('send' as const, 'send detached' as const), value: fc.integer({ min: 17, max: 65_535 }) }),
      fc.record({ type: fc.constant('acknowledge' as const), value: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ type: fc.constant('receive' as const), value: fc.integer({ min: 17, max: 65_535 }) }),
      fc.record({ type: fc.constantFrom('tell' as const, 'new slab' as const, 'seal again' as const), value: fc.constant(0) }),
      fc.record({ type: fc.constant('resume' as const), value: fc.integer({ min: 0, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.array(operation, { maxLength: 60 }), (limit, operations) => {
        const delivery = new Delivery(limit);
        const packer = new Packer();
        const sent: { length: number; slab: Slab | undefined }[] = [];
        let acknowledged = 0;
        let received = 0;
        let told = 0;
        let untold = 0;
        /** The first one that was not sent over this link. */
        let fresh = 0;
        for (const { type, value } of operations) {
          if (type === 'seal again') {
            if (fresh === sent.length) continue;
            const record = packer.record((sent[fresh] as { length: number }).length);
            delivery.resealed(record);
            sent[fresh++] = { length: record.length, slab: record.slab };
          } else if (type === 'resume') {
            if (value > sent.length || value < acknowledged) {
              expect(() => delivery.resume(value)).toThrow(INVALID);
            } else {
              delivery.resume(value);
              acknowledged = value;
              fresh = value;
            }
          } else if (type === 'send' || type === 'send detached') {
            // New records go out when all others have.
            if (fresh < sent.length) continue;
            const record = type === 'send' ? packer.record(value) : packer.detached(value);
            delivery.retain(record);
            sent.push({ length: value, slab: record.slab });
            fresh++;
          } else if (type === 'acknowledge') {
            if (value > fresh) expect(() => delivery.acknowledge(value)).toThrow(INVALID);
            else delivery.acknowledge(value);
            if (value <= fresh) acknowledged = Math.max(acknowledged, value);
          } else if (type === 'receive') {
            delivery.receive(value);
            received++;
            untold += value;
          } else if (type === 'tell') {
            expect(delivery.tell()).toBe(received);
            told = received;
            untold = 0;
          } else {
            packer.nextSlab();
          }
          const waiting = sent.slice(acknowledged);
          const bytes = waiting.reduce((sum, { length }) => sum + length, 0);
          const slabs = new Set(waiting.map(({ slab }) => slab).filter((slab) => slab !== undefined)).size;
          expect([delivery.sent, delivery.received, delivery.retainedBytes]).toEqual([sent.length, received, bytes]);
          expect([...delivery.retained].map((record) => record.length)).toEqual(waiting.map(({ length }) => length));
          expect(delivery.stale?.length).toBe(sent[fresh]?.length);
          expect(delivery.full).toBe(bytes >= limit || (slabs - 1) * SLAB_LENGTH >= limit);
          expect(delivery.due).toBe(told === received ? 'no' : untold >= ACKNOWLEDGE_AFTER_BYTES ? 'now' : 'later');
        }
      }),
      { numRuns: 200 },
    );
  });
});
