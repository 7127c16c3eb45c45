import { MatryoshkaError } from '@matryoshka/node';
import type { Stream, StreamHandler } from '@matryoshka/peer';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { Pattern } from './pattern.ts';
import type { SidePlan } from './plan.ts';
import { TransferSide } from './transfer-side.ts';

const PLAN: SidePlan = { length: 5000, maxChunk: 700, pauseChance: 0, maxPauses: 20, maxPauseMs: 50, stopChance: 0 };

/** A stream that writes down what is written, and takes as much as it is told to. */
class FakeStream {
  handler!: StreamHandler;
  readonly written: Uint8Array[] = [];
  ends = 0;
  paused = false;
  pauses = 0;
  closed = false;
  pendingBytes = 0;
  goOn = true;

  attach(handler: StreamHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes.slice());
    return this.goOn;
  }

  end(): void {
    this.ends++;
  }

  pause(): void {
    this.paused = true;
    this.pauses++;
  }

  resume(): void {
    this.paused = false;
  }
}

interface Setup {
  readonly side: TransferSide;
  readonly stream: FakeStream;
  readonly clock: SimulatedClock;
  readonly reports: string[];
  /** What the other side sends. */
  readonly theirs: Uint8Array;
}

function setup(plan: Partial<SidePlan> = {}, change: (stream: FakeStream) => void = () => {}): Setup {
  const clock = new SimulatedClock();
  const reports: string[] = [];
  const stream = new FakeStream();
  change(stream);
  const side = new TransferSide({
    name: 'side',
    plan: { ...PLAN, ...plan },
    sends: new Pattern(1),
    receives: new Pattern(2),
    expected: 3000,
    clock,
    random: seededRandom(1),
    report: (violation) => reports.push(violation),
  });
  side.start(stream as unknown as Stream);
  return { side, stream, clock, reports, theirs: new Pattern(2).take(4000).slice() };
}

describe('one side of a transfer', () => {
  test('writes all its bytes in chunks, and ends', () => {
    const { stream, reports } = setup();
    expect(Buffer.concat(stream.written).equals(new Pattern(1).take(5000))).toBe(true);
    expect(Math.max(...stream.written.map(({ length }) => length))).toBeLessThanOrEqual(700);
    expect([stream.ends, reports]).toEqual([1, []]);
  });

  test('waits for writable where it is told to stop', () => {
    const { stream } = setup({}, (fake) => (fake.goOn = false));
    expect(stream.written.length).toBe(1);
    stream.goOn = true;
    stream.handler.writable?.();
    expect([Buffer.concat(stream.written).length, stream.ends]).toEqual([5000, 1]);
  });

  test('pauses as often as planned, and goes on', async () => {
    const { stream, clock } = setup({ pauseChance: 1, maxPauses: 3 });
    expect(stream.written.length).toBe(1);
    await clock.run();
    expect([Buffer.concat(stream.written).length, stream.ends]).toEqual([5000, 1]);
  });

  test('stops reading as often as planned, and goes on', async () => {
    const { stream, clock, theirs } = setup({ stopChance: 1, maxPauses: 3 });
    for (let at = 0; at < 3000; at += 500) stream.handler.data?.(theirs.subarray(at, at + 500));
    expect([stream.paused, stream.pauses]).toEqual([true, 3]);
    await clock.run();
    expect(stream.paused).toBe(false);
  });

  test('is content where all comes, once, in order, and then the end', async () => {
    const { side, stream, reports, theirs } = setup();
    stream.handler.data?.(theirs.subarray(0, 1000));
    stream.handler.data?.(theirs.subarray(1000, 3000));
    stream.handler.end?.();
    stream.handler.closed?.(undefined);
    await side.closedOnce;
    expect(reports).toEqual([]);
    expect(side.state).toBe('side: 0 of 5000 bytes to write, 0 of 3000 to come');
  });

  test.each<[string, (handler: StreamHandler, theirs: Uint8Array) => void, string]>([
    [
      'a byte is lost',
      (handler, theirs) => {
        handler.data?.(theirs.subarray(0, 100));
        handler.data?.(theirs.subarray(101, 3000));
      },
      'side: a byte from 100 on, of 2899, is not what was sent',
    ],
    [
      'bytes come twice',
      (handler, theirs) => {
        handler.data?.(theirs.subarray(0, 100));
        handler.data?.(theirs.subarray(0, 100));
      },
      'side: a byte from 100 on, of 100, is not what was sent',
    ],
    [
      'more comes than was sent',
      (handler, theirs) => handler.data?.(theirs.subarray(0, 3001)),
      'side: more came than the 3000 bytes that were sent',
    ],
    [
      'the end comes early',
      (handler, theirs) => {
        handler.data?.(theirs.subarray(0, 2999));
        handler.end?.();
      },
      'side: the end came after 2999 of 3000 bytes',
    ],
    [
      'the end comes twice',
      (handler, theirs) => {
        handler.data?.(theirs.subarray(0, 3000));
        handler.end?.();
        handler.end?.();
      },
      'side: the end came twice',
    ],
    ['it closes without an end', (handler) => handler.closed?.(undefined), 'side: closed before the end came'],
    ['it fails', (handler) => handler.closed?.(new MatryoshkaError('session.link-lost')), 'side: failed with session.link-lost: '],
  ])('reports it where %s', (_what, happen, report) => {
    const { stream, reports, theirs } = setup();
    happen(stream.handler, theirs);
    expect(reports).toEqual([expect.stringContaining(report)]);
  });

  test('reports it where more waits than write said it would', () => {
    const { reports } = setup({}, (fake) => (fake.pendingBytes = 64 * 1024 + 700));
    expect(reports).toEqual([expect.stringContaining('bytes wait')]);
  });
});
