import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnitQueue } from './unit-queue.ts';

/** `bytes` in parts that end at the given places. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at.map((end) => end % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const joined = (parts: readonly Uint8Array[] | undefined): Uint8Array | undefined => parts && Uint8Array.from(Buffer.concat(parts));

const bytesOf = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31) & 255);

describe('unit queue', () => {
  test('property: units come out as they went in, lent or copied', () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 200, max: 9000 }), fc.constant(65_519));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('keep' as const), length, more: fc.boolean() }),
      fc.record({ kind: fc.constant('lend' as const), length, more: fc.boolean(), cuts: fc.array(fc.nat(), { maxLength: 3 }) }),
      fc.record({ kind: fc.constantFrom('shift' as const, 'shift' as const, 'clear' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new UnitQueue();
        const model: { bytes: Uint8Array; more: boolean }[] = [];
        for (const [i, each] of steps.entries()) {
          if (each.kind === 'keep') {
            const bytes = bytesOf(each.length, i);
            model.push({ bytes: bytes.slice(), more: each.more });
            queue.keep(bytes, each.more);
            bytes.fill(0xee);
          } else if (each.kind === 'lend') {
            const bytes = bytesOf(each.length, i);
            model.push({ bytes, more: each.more });
            queue.lend(cut(bytes, each.cuts), each.more);
          } else if (each.kind === 'shift') {
            queue.shift();
            model.shift();
          } else {
            queue.clear();
            model.length = 0;
          }
          expect(queue.length).toBe(model.length);
          const unit = queue.peek();
          expect(unit === undefined ? undefined : { bytes: joined(unit), more: queue.more }).toEqual(model[0]);
        }
      }),
    );
  });

  test('what a sole lent unit has left becomes a copy', () => {
    const queue = new UnitQueue();
    const unit = bytesOf(100, 1);
    queue.lend([unit], true);
    queue.keepSole(40);
    unit.fill(0);
    expect([queue.length, joined(queue.peek()), queue.more]).toEqual([1, bytesOf(100, 1).subarray(40), true]);
  });

  test.each([1, 17, 100, 5000])('many copies of %i bytes take little more memory than their bytes', (length) => {
    const queue = new UnitQueue();
    const unit = new Uint8Array(length);
    const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = used();
    for (let bytes = 0; bytes < 1024 * 1024; bytes += length) queue.keep(unit, false);
    // 3 bytes for each, and what the collector has not seen yet.
    expect(used() - before).toBeLessThan(8 * 1024 * 1024);
    expect(queue.length).toBe(Math.ceil((1024 * 1024) / length));
  });

  test('memory is free as soon as the last unit in it is sent', () => {
    const queue = new UnitQueue();
    queue.keep(bytesOf(60_000, 1), false);
    const memory = queue.peek()?.[0]?.buffer as ArrayBuffer;
    queue.shift();
    expect(memory.detached).toBe(true);
    queue.keep(bytesOf(10, 1), false);
    const cleared = queue.peek()?.[0]?.buffer as ArrayBuffer;
    queue.clear();
    expect(cleared.detached).toBe(true);
  });
});
