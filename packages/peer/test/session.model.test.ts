import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Stream } from '../src/index.ts';
import { type Pair, sessionPair } from './pair.ts';

// Two sessions against a model of a few lines: whatever both ends do to their streams, in whatever order and however
// slow the link, what arrives is a beginning of what was written, all of it where nobody reset; nothing hangs; memory
// has a bound.

type Action =
  | { readonly type: 'open'; readonly side: 0 | 1 }
  | { readonly type: 'write'; readonly side: 0 | 1; readonly stream: number; readonly length: number }
  | { readonly type: 'end' | 'reset' | 'pause' | 'resume'; readonly side: 0 | 1; readonly stream: number }
  | { readonly type: 'wait'; readonly ms: number };

const side = fc.constantFrom(0 as const, 1 as const);
const stream = fc.nat(5);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('open' as const), side }) },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('write' as const), side, stream, length: fc.oneof(fc.nat(300), fc.nat(200_000)) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('end' as const, 'pause' as const, 'resume' as const), side, stream }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reset' as const), side, stream }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(60) }) },
);

/** One end of one stream, and what the model knows of it. */
interface End {
  readonly stream: Stream;
  /** Bytes written here, whose values follow from their positions. */
  written: number;
  received: number;
  correct: boolean;
  ending: boolean;
  ended: boolean;
  closes: (string | undefined)[];
}

function byteAt(position: number): number {
  return (position * 7 + (position >> 9)) & 0xff;
}

class Model {
  readonly pair: Pair;
  /** The two ends of each stream, by the side they are on. */
  readonly streams: (readonly [End, End])[] = [];
  readonly #accepted = new Map<number, End>();

  constructor(latencyMs: number) {
    this.pair = sessionPair(1, { delayMs: () => latencyMs });
    for (const [index, node] of this.pair.nodes.entries())
      node.protocols.serve('/model/1', (opened) => void this.#accepted.set(opened.id * 2 + index, this.#end(opened)));
  }

  async run(action_: Action): Promise<void> {
    const { world } = this.pair;
    if (action_.type === 'wait') await world.clock.advance(action_.ms);
    else if (action_.type === 'open') await this.#open(action_.side);
    else this.#act(action_, this.streams[action_.stream]?.[action_.side]);
  }

  async #open(by: 0 | 1): Promise<void> {
    const opened = this.#end(await this.pair.world.run(this.pair.sessions[by].openStream('/model/1')));
    const accepted = this.#accepted.get(opened.stream.id * 2 + (1 - by)) as End;
    this.streams.push(by === 0 ? [opened, accepted] : [accepted, opened]);
  }

  #act(action_: Exclude<Action, { type: 'open' | 'wait' }>, end: End | undefined): void {
    if (end === undefined || end.stream.closed) return;
    if (action_.type === 'write') {
      if (end.ending || end.stream.pendingBytes > 1_000_000) return;
      const bytes = Uint8Array.from({ length: action_.length }, (_, index) => byteAt(end.written + index));
      try {
        end.stream.write(bytes);
        end.written += bytes.length;
      } catch {
        // It failed already, and says so once its reader has read what waits.
      }
      bytes.fill(0);
    } else if (action_.type === 'end') {
      end.ending = true;
      end.stream.end();
    } else if (action_.type === 'reset') {
      end.stream.reset();
    } else {
      end.stream[action_.type]();
    }
  }

  #end(opened: Stream): End {
    const end: End = { stream: opened, written: 0, received: 0, correct: true, ending: false, ended: false, closes: [] };
    opened.attach({
      data: (bytes) => {
        for (const byte of bytes) if (byte !== byteAt(end.received++)) end.correct = false;
        if (end.ended || end.closes.length > 0) end.correct = false;
      },
      end: () => void (end.ended = true),
      closed: (error) => void end.closes.push(error?.code),
    });
    return end;
  }

  check(): void {
    for (const [a, b] of this.streams) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        expect(to.correct).toBe(true);
        expect(to.received).toBeLessThanOrEqual(from.written);
        // What has left its writer and is not consumed is within the reader's window.
        if (!from.stream.closed) expect(from.stream.bytesSent - to.received).toBeLessThanOrEqual(to.stream.windowBytes);
        expect(to.closes.length).toBeLessThanOrEqual(1);
      }
    }
    for (const { slabs } of this.pair.nodes) expect(slabs.out).toBeLessThanOrEqual(19);
  }

  /** Everybody reads, everybody ends: it must all come to an end. */
  async finish(): Promise<void> {
    for (const ends of this.streams) {
      for (const { stream: each } of ends) {
        each.resume();
        each.end();
      }
    }
    await this.pair.world.clock.advance(10_000);
    this.check();
    for (const [a, b] of this.streams) {
      const reset = [...a.closes, ...b.closes].some((code) => code !== undefined);
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        expect(to.closes.length).toBe(1);
        if (!reset) expect([to.received, to.ended]).toEqual([from.written, true]);
      }
    }
    expect(this.pair.sessions.map(({ sending }) => sending)).toEqual([true, true]);
    expect(this.pair.nodes.map(({ slabs }) => slabs.out)).toEqual([0, 0]);
    expect(this.pair.sessions.map(({ streams }) => [...streams].length)).toEqual([0, 0]);
  }
}

describe('two sessions', () => {
  test('do what the model does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1, 30), fc.array(action, { minLength: 5, maxLength: 60 }), async (latencyMs, actions) => {
        const model = new Model(latencyMs);
        await model.run({ type: 'open', side: 0 });
        for (const each of actions) {
          // The order is the point.
          // oxlint-disable-next-line no-await-in-loop
          await model.run(each);
          model.check();
        }
        await model.finish();
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
