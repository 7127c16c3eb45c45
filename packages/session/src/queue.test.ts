import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Queue } from './queue.ts';

describe('a queue', () => {
  test('gives nothing when it is empty', () => {
    const queue = new Queue<number>();
    expect([queue.length, queue.peek(), queue.last, queue.shift(), [...queue]]).toEqual([0, undefined, undefined, undefined, []]);
  });

  test('does what an array does', () => {
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3000 }) }) },
      { weight: 4, arbitrary: fc.record({ type: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3000 }) }) },
      fc.record({ type: fc.constantFrom('replaceLast' as const, 'clear' as const), count: fc.constant(1) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
        const queue = new Queue<number>();
        let model: number[] = [];
        let next = 0;
        for (const { type, count } of operations) {
          if (type === 'push') {
            for (let i = 0; i < count; i++) {
              queue.push(next);
              model.push(next++);
            }
          } else if (type === 'shift') {
            const expected = model.splice(0, count);
            expect(Array.from({ length: expected.length }, () => queue.shift())).toEqual(expected);
            if (expected.length < count) expect(queue.shift()).toBeUndefined();
          } else if (type === 'clear') {
            queue.clear();
            model = [];
          } else if (model.length > 0) {
            queue.replaceLast(-next);
            model[model.length - 1] = -next;
          }
          expect([queue.length, queue.peek(), queue.last]).toEqual([model.length, model[0], model.at(-1)]);
        }
        expect([...queue]).toEqual(model);
      }),
      { numRuns: 60 },
    );
  });
});
