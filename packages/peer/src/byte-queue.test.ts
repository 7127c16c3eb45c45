import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

describe('a byte queue', () => {
  test('gives nothing when it is empty', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array(0));
    expect([queue.length, queue.take()]).toEqual([0, undefined]);
  });

  test('copies what it takes in, and nobody else has what it gives out', () => {
    const queue = new ByteQueue();
    const bytes = Uint8Array.of(1, 2);
    queue.push(bytes);
    bytes.fill(9);
    const taken = queue.take(1) as Uint8Array;
    queue.push(Uint8Array.of(3));
    taken.fill(9);
    expect([queue.length, queue.take()]).toEqual([2, Uint8Array.of(2, 3)]);
  });

  test('packs small pieces', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 10_000; i++) queue.push(Uint8Array.of(i));
    const buffers = new Set<ArrayBufferLike>();
    for (let piece = queue.take(100); piece !== undefined; piece = queue.take(100)) buffers.add(piece.buffer);
    expect([...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)).toBe(3 * 4096);
  });

  test('gives what it got, in order, in pieces of any size', () => {
    const operation = fc.oneof(
      fc.record({ type: fc.constant('push' as const), length: fc.integer({ min: 0, max: 6000 }) }),
      fc.record({ type: fc.constant('take' as const), length: fc.integer({ min: 1, max: 6000 }) }),
      { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), length: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const queue = new ByteQueue();
        let model: number[] = [];
        let next = 0;
        for (const { type, length } of operations) {
          if (type === 'push') {
            const bytes = Uint8Array.from({ length }, () => next++);
            queue.push(bytes);
            model.push(...bytes);
          } else if (type === 'take') {
            const taken = queue.take(length) ?? new Uint8Array(0);
            expect(taken.length).toBeLessThanOrEqual(length);
            if (model.length > 0) expect(taken.length).toBeGreaterThan(0);
            expect([...taken]).toEqual(model.splice(0, taken.length));
          } else {
            queue.clear();
            model = [];
          }
          expect(queue.length).toBe(model.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});
