import type { VerifiedDescriptor } from '@matryoshka/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { descriptorOf } from '../../test/descriptors.ts';
import type { DirectoryChange } from './directory.ts';
import { MemoryDirectory } from './memory-directory.ts';

const HOUR_MS = 3_600_000;

class Clock {
  now = 1_700_000_000_000;
  readonly unixMs = (): number => this.now;
}

function directory(maxDescriptors?: number): { clock: Clock; book: MemoryDirectory; changes: DirectoryChange[] } {
  const clock = new Clock();
  const book = new MemoryDirectory(clock, maxDescriptors === undefined ? {} : { maxDescriptors });
  const changes: DirectoryChange[] = [];
  book.watch((change) => changes.push(change));
  return { clock, book, changes };
}

describe('a directory in memory', () => {
  test('has the newest descriptor of each peer, whatever the order in which they come', () => {
    const { book, changes } = directory();
    const [old, newer] = [descriptorOf(1, { version: 1 }), descriptorOf(1, { version: 2 })];
    expect(book.publish(newer)).toBe('added');
    expect(book.publish(old)).toBe('known');
    expect(book.publish(newer)).toBe('known');
    expect(book.get(newer.peerId)).toBe(newer);
    const newest = descriptorOf(1, { version: 3 });
    expect(book.publish(newest)).toBe('replaced');
    expect(book.list()).toEqual([newest]);
    expect(changes.map(({ type }) => type)).toEqual(['added', 'replaced']);
  });

  test('drops what has expired, and says so', () => {
    const { book, changes, clock } = directory();
    const [one, two] = [descriptorOf(1), descriptorOf(2, { expiresUnixMs: clock.now + HOUR_MS })];
    book.publish(one);
    book.publish(two);
    clock.now += HOUR_MS;
    expect(book.get(two.peerId)).toBeUndefined();
    expect(book.list()).toEqual([one]);
    expect(book.publish(two)).toBe('expired');
    expect(changes.at(-1)).toEqual({ type: 'expired', peerId: two.peerId });
  });

  test('an older one does not come back when the newer has expired, for as long as it could be good', () => {
    const { book, clock } = directory();
    const WEEK_MS = 7 * 24 * HOUR_MS;
    book.publish(descriptorOf(1, { version: 2, expiresUnixMs: clock.now + HOUR_MS }));
    clock.now += HOUR_MS;
    const until = { expiresUnixMs: clock.now + 2 * WEEK_MS, staticKeyExpiresUnixMs: clock.now + 2 * WEEK_MS };
    const [old, newer] = [1, 3].map((version) => descriptorOf(1, { version, ...until }, clock.now + 1.5 * WEEK_MS)) as [
      VerifiedDescriptor,
      VerifiedDescriptor,
    ];
    expect(book.publish(old)).toBe('known');
    expect(book.list()).toEqual([]);
    clock.now += WEEK_MS - 1;
    expect(book.publish(old)).toBe('known');
    clock.now += 1;
    expect(book.publish(old)).toBe('added');
    expect(book.publish(newer)).toBe('replaced');
  });

  test('remembers expired versions of as many peers as it holds, the last ones', () => {
    const { book, clock } = directory(2);
    for (const seed of [1, 2, 3]) {
      book.publish(descriptorOf(seed, { version: 2, expiresUnixMs: clock.now + HOUR_MS }, clock.now));
      clock.now += HOUR_MS;
      book.list();
    }
    expect([3, 2, 1].map((seed) => book.publish(descriptorOf(seed, {}, clock.now)))).toEqual(['known', 'known', 'added']);
  });

  test('full of other peers, it still takes news of those it knows', () => {
    const { book } = directory(2);
    expect([1, 2, 3].map((seed) => book.publish(descriptorOf(seed)))).toEqual(['added', 'added', 'full']);
    expect(book.publish(descriptorOf(2, { version: 9 }))).toBe('replaced');
  });

  test('who watches no more hears no more', () => {
    const { book } = directory();
    let heard = 0;
    const stop = book.watch(() => heard++);
    book.publish(descriptorOf(1));
    stop();
    book.publish(descriptorOf(2));
    expect(heard).toBe(1);
  });

  test('at any time it is what a list of all that was published would be', () => {
    const step = fc.record({
      seed: fc.integer({ min: 1, max: 4 }),
      version: fc.integer({ min: 1, max: 4 }),
      hours: fc.integer({ min: 0, max: 6 }),
      waitHours: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { book, clock } = directory();
        const model = new Map<string, VerifiedDescriptor>();
        const highest = new Map<string, number>();
        for (const { seed, version, hours, waitHours } of steps) {
          const descriptor = descriptorOf(seed, { version, expiresUnixMs: clock.now + hours * HOUR_MS }, clock.now - 1);
          book.publish(descriptor);
          if (hours > 0 && version > (highest.get(descriptor.peerId) ?? 0)) {
            model.set(descriptor.peerId, descriptor);
            highest.set(descriptor.peerId, version);
          }
          clock.now += waitHours * HOUR_MS;
          for (const [peerId, each] of model) if (!each.usableAt(clock.now)) model.delete(peerId);
          expect(new Set(book.list())).toEqual(new Set(model.values()));
        }
      }),
      { numRuns: 30 },
    );
  });
});
