import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUANTUM_BYTES, Scheduler, type Source, type Turn } from './scheduler.ts';

const LONGEST = 65_519;

/** A source with messages of given lengths, again and again. */
class TestSource implements Source {
  readonly turn: Turn;
  readonly lengths: readonly number[];
  sent = 0;
  #at = 0;

  constructor(scheduler: Scheduler, lengths: readonly number[], carriedFor?: object) {
    this.turn = scheduler.turn(this, carriedFor);
    this.lengths = lengths;
  }

  /** Sends its next message. */
  take(): number {
    const length = this.lengths[this.#at++ % this.lengths.length] as number;
    this.sent += length;
    return length;
  }

  pull(): boolean {
    return true;
  }

  drained(): void {}
}

/** Lets sources that always have more send until `bytes` are sent; returns their order. */
function run(scheduler: Scheduler, bytes: number): TestSource[] {
  const order: TestSource[] = [];
  for (let sent = 0; sent < bytes;) {
    const source = scheduler.next() as TestSource;
    const length = source.take();
    scheduler.sent(source.turn, length);
    order.push(source);
    sent += length;
  }
  return order;
}

describe('a schedule', () => {
  test('has nobody to ask while nobody waits', () => {
    const scheduler = new Scheduler();
    expect(scheduler.next()).toBeUndefined();
    const source = new TestSource(scheduler, [1]);
    scheduler.add(source.turn);
    scheduler.add(source.turn);
    expect(scheduler.next()).toBe(source);
    scheduler.remove(source.turn);
    scheduler.remove(source.turn);
    expect(scheduler.next()).toBeUndefined();
  });

  test('a source keeps its turn until it has sent', () => {
    const scheduler = new Scheduler();
    const [a, b] = [new TestSource(scheduler, [QUANTUM_BYTES]), new TestSource(scheduler, [QUANTUM_BYTES])];
    scheduler.add(a.turn);
    scheduler.add(b.turn);
    expect([scheduler.next(), scheduler.next()]).toEqual([a, a]);
    scheduler.sent(a.turn, a.take());
    expect(scheduler.next()).toBe(b);
  });

  test('small messages go out together, and as many bytes as large ones', () => {
    const scheduler = new Scheduler();
    const small = new TestSource(scheduler, [100]);
    const large = new TestSource(scheduler, [LONGEST]);
    for (const { turn } of [small, large]) scheduler.add(turn);
    run(scheduler, 100 * LONGEST);
    expect(Math.abs(small.sent - large.sent)).toBeLessThanOrEqual(LONGEST + QUANTUM_BYTES);
  });

  test('a thousand links of one neighbour have together what the only one of another has', () => {
    const scheduler = new Scheduler();
    const [greedy, modest] = [{}, {}];
    const many = Array.from({ length: 1000 }, () => new TestSource(scheduler, [1000], greedy));
    const one = new TestSource(scheduler, [1000], modest);
    const own = new TestSource(scheduler, [1000]);
    for (const { turn } of [...many, one, own]) scheduler.add(turn);
    run(scheduler, 30_000_000);
    const total = many.reduce((sum, { sent }) => sum + sent, 0);
    for (const sent of [total, one.sent, own.sent]) expect(Math.abs(sent - 10_000_000)).toBeLessThan(2 * QUANTUM_BYTES);
    for (const { sent } of many) expect(Math.abs(sent - total / 1000)).toBeLessThanOrEqual(QUANTUM_BYTES);
  });

  test('a source that comes and goes with one message has no more than one that waits all the time', () => {
    const scheduler = new Scheduler();
    const comes = new TestSource(scheduler, [LONGEST]);
    const waits = new TestSource(scheduler, [1000]);
    for (const { turn } of [comes, waits]) scheduler.add(turn);
    for (let i = 0; i < 100_000; i++) {
      const source = scheduler.next() as TestSource;
      scheduler.sent(source.turn, source.take());
      if (source !== comes) continue;
      scheduler.remove(comes.turn);
      scheduler.add(comes.turn);
    }
    expect(comes.sent).toBeLessThanOrEqual(waits.sent + LONGEST + QUANTUM_BYTES);
  });

  test('what a source owes is forgotten while nobody else waits', () => {
    const scheduler = new Scheduler();
    const [busy, late] = [new TestSource(scheduler, [LONGEST]), new TestSource(scheduler, [LONGEST])];
    scheduler.add(busy.turn);
    run(scheduler, 100 * LONGEST);
    scheduler.add(late.turn);
    const order = run(scheduler, 20 * LONGEST);
    expect(order.filter((source) => source === busy).length).toBeGreaterThanOrEqual(9);
  });

  test('property: those who wait all the time have the same share, whatever their messages, and whoever comes and goes', () => {
    const length = fc.oneof(fc.integer({ min: 1, max: LONGEST }), fc.integer({ min: 1, max: 200 }));
    const source = fc.record({ group: fc.integer({ min: 0, max: 2 }), lengths: fc.array(length, { minLength: 1, maxLength: 5 }) });
    const visits = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(source, { minLength: 2, maxLength: 8 }), visits, (sources, comings) => {
        const scheduler = new Scheduler();
        const groups = [{}, {}, undefined];
        const constant = sources.map(({ group, lengths }) => new TestSource(scheduler, lengths, groups[group]));
        const visitor = new TestSource(scheduler, [5000]);
        for (const { turn } of constant) scheduler.add(turn);
        for (const here of comings) {
          if (here) scheduler.add(visitor.turn);
          else scheduler.remove(visitor.turn);
          run(scheduler, 300_000);
        }
        const sentOf = new Map<object, number>();
        for (const { sent, turn } of constant) {
          for (const other of constant)
            if (other.turn.group === turn.group) expect(Math.abs(sent - other.sent)).toBeLessThanOrEqual(2 * (LONGEST + QUANTUM_BYTES));
          sentOf.set(turn.group, (sentOf.get(turn.group) ?? 0) + sent);
        }
        if (sentOf.has(visitor.turn.group)) sentOf.set(visitor.turn.group, (sentOf.get(visitor.turn.group) as number) + visitor.sent);
        const shares = [...sentOf.values()];
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * (LONGEST + QUANTUM_BYTES));
      }),
      { numRuns: 60 },
    );
  });
});
