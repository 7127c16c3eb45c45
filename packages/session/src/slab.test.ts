import { describe, expect, test } from 'vitest';
import { SealedRecord } from './sealed-record.ts';
import { SLAB_LENGTH, SlabPool } from './slab.ts';

describe('slabs', () => {
  test('come back when nobody holds them, and are used again', () => {
    const pool = new SlabPool();
    const slab = pool.take();
    expect([slab.bytes.length, slab.used, slab.sole]).toEqual([SLAB_LENGTH, 0, true]);
    slab.used = 5;
    slab.hold();
    expect(slab.sole).toBe(false);
    slab.release();
    expect([slab.sole, pool.take() === slab]).toEqual([true, false]);
    slab.release();
    expect([pool.take() === slab, slab.used]).toEqual([true, 0]);
  });

  test('a pool keeps no more than it is told', () => {
    const pool = new SlabPool(2 * SLAB_LENGTH);
    const slabs = [pool.take(), pool.take(), pool.take()];
    for (const slab of slabs) slab.release();
    const again = [pool.take(), pool.take(), pool.take()];
    expect(again.filter((slab) => slabs.includes(slab))).toHaveLength(2);
  });

  test.each([
    ['numbered', true, [false, false, true]],
    ['numbered, acknowledged before it is written', true, [true, false, true]],
    ['unnumbered', false, [false, true, true]],
  ] as const)('a %s record holds its slab as long as it must', (_name, numbered, [acknowledgeFirst, freeOnceWritten, freeInTheEnd]) => {
    const slab = new SlabPool().take();
    const record = new SealedRecord(slab, [slab.bytes.subarray(0, 10)], 0, numbered);
    if (acknowledgeFirst) record.acknowledged();
    expect(slab.sole).toBe(false);
    record.written();
    record.written();
    expect(slab.sole).toBe(freeOnceWritten || acknowledgeFirst);
    record.acknowledged();
    record.acknowledged();
    expect(slab.sole).toBe(freeInTheEnd);
  });

  test.each([
    ['numbered', true, ['written', 'acknowledged']],
    ['numbered', true, ['acknowledged', 'written']],
    ['unnumbered', false, ['written']],
  ] as const)('a %s record frees memory of its own exactly when the last of %s has happened', (_name, numbered, [...events]) => {
    const ciphertext = new Uint8Array(10);
    const tag = new Uint8Array(16);
    const record = new SealedRecord(ciphertext, [ciphertext, tag], 0, numbered);
    expect([record.length, record.slab]).toEqual([26, undefined]);
    for (const event of events) {
      expect(ciphertext.buffer.detached).toBe(false);
      record[event]();
      if (event !== events.at(-1)) record[event]();
    }
    expect([ciphertext.buffer.detached, tag.buffer.detached]).toEqual([true, false]);
    // Its length is still known then: it is what leaves the retained bytes.
    record.acknowledged();
    record.written();
    expect(record.length).toBe(26);
  });
});
