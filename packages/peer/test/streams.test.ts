import type { MemoryLinkOptions } from '@matryoshka/transport';
import type { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { INITIAL_STREAM_CREDIT_BYTES, MAX_STREAMS, MAX_STREAM_WINDOW_BYTES, type Stream, type StreamHandler } from '../src/index.ts';
import { type Pair, failureOf, pattern, sameBytes, sessionPair } from './pair.ts';

const code = (value: string): unknown => expect.objectContaining({ code: value });

/** An owner that remembers everything. */
class Owner implements StreamHandler {
  readonly chunks: Uint8Array[] = [];
  readonly events: string[] = [];
  readonly closes: (MatryoshkaError | undefined)[] = [];

  data = (bytes: Uint8Array): void => {
    this.chunks.push(bytes.slice());
    if (this.events.at(-1) !== 'data') this.events.push('data');
  };
  end = (): void => void this.events.push('end');
  writable = (): void => void this.events.push('writable');
  finished = (): void => void this.events.push('finished');
  closed = (error: MatryoshkaError | undefined): void => {
    this.events.push('closed');
    this.closes.push(error);
  };

  get bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.chunks));
  }
}

interface Opened extends Pair {
  /** Opened here. */
  readonly near: Stream;
  /** Served there. */
  readonly far: Stream;
  readonly ours: Owner;
  readonly theirs: Owner;
}

async function opened(options: Partial<MemoryLinkOptions> = {}): Promise<Opened> {
  const pair = sessionPair(1, options);
  const { world, nodes, sessions } = pair;
  const accepted = Promise.withResolvers<Stream>();
  nodes[1].protocols.serve('/test/1', (stream) => accepted.resolve(stream));
  const near = await world.run(sessions[0].openStream('/test/1'));
  const far = await accepted.promise;
  const [ours, theirs] = [new Owner(), new Owner()];
  near.attach(ours);
  far.attach(theirs);
  return { ...pair, near, far, ours, theirs };
}

/** Writes all of `bytes` as fast as the stream takes it. */
function pump(stream: Stream, bytes: Uint8Array, owner: Owner, pieceLength = 20_000): void {
  let at = 0;
  const go = (): void => {
    while (at < bytes.length) {
      const piece = bytes.slice(at, at + pieceLength);
      at += piece.length;
      const more = stream.write(piece);
      piece.fill(0);
      if (!more) return;
    }
    stream.end();
  };
  owner.writable = go;
  go();
}

describe('a stream', () => {
  test('is opened where its protocol is served, from either side', async () => {
    const { world, nodes, sessions, near, far } = await opened();
    expect([near.protocol, far.protocol, near.id, far.id, near.closed]).toEqual(['/test/1', '/test/1', 0, 0, false]);
    expect([...sessions[0].streams, ...sessions[1].streams]).toEqual([near, far]);
    nodes[0].protocols.serve('/back/1', () => {});
    await expect(world.run(sessions[1].openStream('/back/1'))).resolves.toMatchObject({ id: 1 });
    await expect(world.run(sessions[1].openStream('/back/1'))).resolves.toMatchObject({ id: 3 });
  });

  test('is refused, typed, where it is not', async () => {
    const { world, sessions } = sessionPair();
    await expect(world.run(sessions[0].openStream('/nothing/1'))).rejects.toMatchObject({ code: 'stream.unknown-protocol' });
    expect([...sessions[0].streams, ...sessions[1].streams]).toEqual([]);
    expect(sessions[0].sending).toBe(true);
  });

  test.each(['', 'x'.repeat(256)])('a name that no message can carry is the mistake of the caller: %j', async (name) => {
    const { world, sessions } = sessionPair();
    await expect(world.run(sessions[0].openStream(name))).rejects.toThrow(RangeError);
    await world.clock.advance(10);
    expect(sessions[0].sending).toBe(true);
  });

  test('is given up by its opener before the answer: the other side hears it', async () => {
    const { world, nodes, sessions } = sessionPair(1, { delayMs: () => 50 });
    const theirs = new Owner();
    nodes[1].protocols.serve('/slow/1', (stream) => stream.attach(theirs));
    await expect(sessions[0].openStream('/slow/1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const controller = new AbortController();
    const opening = failureOf(world.run(sessions[0].openStream('/slow/1', { signal: controller.signal })));
    world.clock.after(60, () => controller.abort());
    expect(await opening).toMatchObject({ code: 'aborted' });
    await world.clock.advance(200);
    expect(theirs.closes).toEqual([code('aborted')]);
  });

  test('an abort after the stream is open changes nothing', async () => {
    const { world, nodes, sessions } = sessionPair();
    nodes[1].protocols.serve('/test/1', () => {});
    const controller = new AbortController();
    const stream = await world.run(sessions[0].openStream('/test/1', { signal: controller.signal }));
    controller.abort();
    await world.clock.advance(10);
    expect(stream.closed).toBe(false);
  });

  test('there are so many at once, and no more', async () => {
    const { world, nodes, sessions } = sessionPair();
    nodes[1].protocols.serve('/test/1', () => {});
    nodes[0].protocols.serve('/back/1', () => {});
    const streams = await world.run(Promise.all(Array.from({ length: MAX_STREAMS }, () => sessions[0].openStream('/test/1'))));
    await expect(sessions[0].openStream('/test/1')).rejects.toMatchObject({ code: 'stream.limit' });
    // The other side's are counted apart.
    await world.run(sessions[1].openStream('/back/1'));
    streams[0]?.reset();
    await world.clock.advance(10);
    await world.run(sessions[0].openStream('/test/1'));
    // Windows shrink, but never below what the other side may send at once.
    expect(streams[0]?.windowBytes).toBe(MAX_STREAM_WINDOW_BYTES);
    expect(streams.at(-1)?.windowBytes).toBe(INITIAL_STREAM_CREDIT_BYTES);
  });

  test('carries bytes both ways at once; buffers are free again when write returns', async () => {
    const { world, near, far, ours, theirs } = await opened({ delayMs: () => 3 });
    const [there, back] = [pattern(700_000), pattern(400_000, 5)];
    pump(near, there, ours);
    pump(far, back, theirs, 777);
    await world.clock.advance(5000);
    expect([sameBytes(theirs.bytes, there), sameBytes(ours.bytes, back)]).toEqual([true, true]);
    expect([ours.closes, theirs.closes, near.closed, far.closed]).toEqual([[undefined], [undefined], true, true]);
    expect([near.bytesSent, far.bytesReceived, far.bytesSent, near.bytesReceived]).toEqual([700_000, 700_000, 400_000, 400_000]);
  });

  test('ends one direction at a time', async () => {
    const { world, near, far, ours, theirs } = await opened();
    near.write(Uint8Array.of(1));
    near.end();
    near.end();
    expect(() => near.write(Uint8Array.of(2))).toThrow(code('stream.reset'));
    await world.clock.advance(10);
    expect([theirs.events, ours.events]).toEqual([['data', 'end'], ['finished']]);
    far.write(Uint8Array.of(3));
    await world.clock.advance(10);
    expect(ours.events).toEqual(['finished', 'data']);
    far.end();
    await world.clock.advance(10);
    expect([ours.events, theirs.events]).toEqual([
      ['finished', 'data', 'end', 'closed'],
      ['data', 'end', 'finished', 'closed'],
    ]);
  });

  test('says when all that was written before the end has gone out', async () => {
    const { world, near, far, ours, theirs } = await opened();
    far.pause();
    far.end();
    near.write(new Uint8Array(MAX_STREAM_WINDOW_BYTES + 1));
    near.end();
    await world.clock.advance(1000);
    expect([near.pendingBytes, ours.events]).toEqual([1, ['end']]);
    far.resume();
    await world.clock.advance(1000);
    expect([ours.events, theirs.events]).toEqual([
      ['end', 'finished', 'closed'],
      ['finished', 'data', 'end', 'closed'],
    ]);
  });

  test('finished and closed at once loses nothing', async () => {
    const { world, sessions, near, far, ours, theirs } = await opened();
    ours.finished = () => sessions[0].close();
    const bytes = pattern(500_000);
    pump(near, bytes, ours);
    await world.clock.advance(5000);
    expect([sameBytes(theirs.bytes, bytes), theirs.closes, far.closed]).toEqual([true, [code('closed')], true]);
    expect(theirs.events).toEqual(['data', 'end', 'closed']);
  });

  test('what was written and ended just before a close still goes out', async () => {
    const { world, sessions, near, theirs } = await opened();
    near.write(Uint8Array.of(1, 2, 3));
    near.end();
    sessions[0].close();
    await world.clock.advance(100);
    expect([theirs.events, theirs.bytes]).toEqual([['data', 'end', 'closed'], Uint8Array.of(1, 2, 3)]);
  });

  test('holds what comes before it has an owner', async () => {
    const { world, nodes, sessions } = sessionPair();
    const streams: Stream[] = [];
    nodes[1].protocols.serve('/late/1', (stream) => void streams.push(stream));
    const near = await world.run(sessions[0].openStream('/late/1'));
    near.write(Uint8Array.of(1, 2));
    near.write(Uint8Array.of(3));
    near.end();
    await world.clock.advance(10);
    const theirs = new Owner();
    streams[0]?.attach(theirs);
    expect([theirs.bytes, theirs.events]).toEqual([Uint8Array.of(1, 2, 3), ['data', 'end']]);
  });

  test.each(['near', 'far'] as const)('is reset from the %s end: both ends are over, the other one with the reason', async (end) => {
    const it = await opened();
    const { world, ours, theirs, near, far } = it;
    it[end].write(Uint8Array.of(1));
    it[end].reset('stream.limit');
    it[end].reset('closed');
    it[end].end();
    await world.clock.advance(10);
    expect([ours.closes, theirs.closes]).toEqual([[code('stream.limit')], [code('stream.limit')]]);
    expect(() => near.write(Uint8Array.of(1))).toThrow(code('stream.limit'));
    expect(() => far.write(Uint8Array.of(1))).toThrow(code('stream.limit'));
    const late = new Owner();
    far.attach(late);
    expect(late.closes).toEqual([code('stream.limit')]);
  });

  test('reset by both ends at once is over at both', async () => {
    const { world, sessions, near, far, ours, theirs } = await opened({ delayMs: () => 10 });
    near.reset('closed');
    far.reset('stream.failed');
    await world.clock.advance(100);
    expect([ours.closes, theirs.closes, sessions[0].sending]).toEqual([[code('closed')], [code('stream.failed')], true]);
  });

  test('a slow reader gets all of a direction that has ended, then the failure', async () => {
    const { world, near, far, theirs } = await opened();
    far.pause();
    const bytes = pattern(100_000);
    near.write(bytes);
    near.end();
    await world.clock.advance(100);
    near.reset('stream.failed');
    await world.clock.advance(100);
    expect(theirs.events).toEqual([]);
    expect(() => far.write(Uint8Array.of(1))).toThrow(code('stream.failed'));
    far.resume();
    expect([sameBytes(theirs.bytes, bytes), theirs.events, theirs.closes]).toEqual([
      true,
      ['data', 'end', 'closed'],
      [code('stream.failed')],
    ]);
  });

  test('of a direction that has not ended, a failure takes what waits', async () => {
    const { world, near, far, theirs } = await opened();
    far.pause();
    near.write(pattern(1000));
    await world.clock.advance(100);
    near.reset('stream.failed');
    await world.clock.advance(100);
    far.resume();
    expect([theirs.events, theirs.closes]).toEqual([['closed'], [code('stream.failed')]]);
  });

  test('may be reset by its own owner within data, and hears nothing more', async () => {
    const { world, near, far, theirs, ours } = await opened();
    far.pause();
    near.write(pattern(200_000));
    near.end();
    await world.clock.advance(1000);
    const { data } = theirs;
    theirs.data = (bytes) => {
      data(bytes);
      far.reset('stream.limit');
    };
    far.resume();
    expect(theirs.events).toEqual(['data', 'closed']);
    await world.clock.advance(100);
    expect(ours.closes).toEqual([code('stream.limit')]);
  });

  test('an owner that pauses and resumes within data gets the pieces in order, one after the other', async () => {
    const { world, near, far, theirs } = await opened();
    let depth = 0;
    let deepest = 0;
    const { data } = theirs;
    theirs.data = (bytes) => {
      deepest = Math.max(deepest, ++depth);
      far.pause();
      far.resume();
      data(bytes);
      depth--;
    };
    far.pause();
    const bytes = pattern(900_000);
    near.write(bytes);
    await world.clock.advance(1000);
    far.resume();
    expect([sameBytes(theirs.bytes, bytes), deepest]).toEqual([true, 1]);
  });

  test('streams that write into each other from writable keep the order of their bytes', async () => {
    const { world, nodes, sessions } = sessionPair(1, { delayMs: () => 5 });
    const got: Uint8Array[][] = [[], []];
    for (const index of [0, 1])
      nodes[1].protocols.serve(`/sink/${index}`, (stream) => stream.attach({ data: (bytes) => void got[index]?.push(bytes.slice()) }));
    const [x, y] = [await world.run(sessions[0].openStream('/sink/0')), await world.run(sessions[0].openStream('/sink/1'))];
    // y wakes up within the very write of x that fills its own record, and writes to x.
    y.attach({ writable: () => void x.write(pattern(30_000, 2)) });
    x.write(new Uint8Array(0));
    y.write(pattern(1_200_000, 9));
    await world.clock.advance(200);
    x.write(pattern(1_300_000, 1));
    await world.clock.advance(5000);
    const whole = Buffer.concat(got[0] as Uint8Array[]);
    expect(whole.length).toBe(1_330_000);
    const parts = [pattern(1_300_000, 1), pattern(30_000, 2)];
    const orders = [Buffer.concat(parts), Buffer.concat(parts.toReversed())];
    expect(orders.some((order) => Buffer.compare(order, whole) === 0)).toBe(true);
  });
});

describe('an owner that fails', () => {
  test.each(['data', 'end', 'writable', 'finished'] as const)('in %s loses its stream and nothing else', async (callback) => {
    const { world, nodes, sessions, near, far, ours, theirs } = await opened();
    const other = await world.run(sessions[0].openStream('/test/1'));
    theirs[callback] = () => {
      throw new TypeError('my mistake');
    };
    near.write(Uint8Array.of(1));
    near.end();
    if (callback === 'writable') far.write(new Uint8Array(MAX_STREAM_WINDOW_BYTES + 65_536 * 4));
    if (callback === 'finished') far.end();
    await world.clock.advance(1000);
    expect(theirs.closes).toEqual([expect.objectContaining({ code: 'stream.failed', message: expect.stringContaining('my mistake') })]);
    expect(ours.closes).toEqual([
      callback === 'finished'
        ? undefined
        : expect.objectContaining({ code: 'stream.failed', message: expect.not.stringContaining('mistake') }),
    ]);
    expect([sessions[0].sending, sessions[1].sending, other.closed, nodes[1].ended]).toEqual([true, true, false, []]);
  });

  test('in closed goes unheard by nobody, and breaks nothing', async () => {
    const { world, near, ours, theirs, sessions } = await opened();
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', listen);
    theirs.closed = () => {
      throw new TypeError('my mistake');
    };
    near.reset();
    await world.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    for (const listener of listeners) process.on('unhandledRejection', listener);
    expect([unhandled, sessions[1].sending, ours.closes]).toEqual([[expect.any(TypeError)], true, [code('stream.reset')]]);
  });

  test.each<readonly [string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new TypeError('my mistake');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('my mistake'))],
  ])('a protocol handler that %s resets its stream', async (_what, handler) => {
    const { world, nodes, sessions } = sessionPair();
    nodes[1].protocols.serve('/broken/1', handler);
    const ours = new Owner();
    const opening = sessions[0].openStream('/broken/1');
    const result: unknown = await world.run(opening).then(
      (stream) => stream.attach(ours),
      (error: unknown) => error,
    );
    await world.clock.advance(10);
    expect(result ?? ours.closes[0]).toMatchObject({ code: 'stream.failed' });
    expect(sessions[1].sending).toBe(true);
  });
});

describe('flow control', () => {
  test('a reader that does not read stops its own sender only, at its window', async () => {
    const { world, nodes, sessions, near, far, ours } = await opened();
    const fast = new Owner();
    nodes[1].protocols.serve('/fast/1', (stream) => stream.attach(fast));
    far.pause();
    pump(near, new Uint8Array(5_000_000), ours);
    const other = await world.run(sessions[0].openStream('/fast/1'));
    const [bytes, owner] = [pattern(3_000_000), new Owner()];
    other.attach(owner);
    pump(other, bytes, owner);
    await world.clock.advance(5000);
    expect(near.bytesSent).toBe(MAX_STREAM_WINDOW_BYTES);
    expect(near.pendingBytes).toBeLessThan(2 * 65_536);
    expect(sameBytes(fast.bytes, bytes)).toBe(true);
    // Nothing of the stopped stream is kept by the sender but what it wrote: all of it is acknowledged.
    expect([nodes[0].slabs.out, nodes[1].slabs.out]).toEqual([0, 0]);
    far.resume();
    await world.clock.advance(5000);
    expect(near.bytesSent).toBe(5_000_000);
  });

  test('credit follows what is consumed, and does not run dry', async () => {
    const { world, near, far, ours, theirs } = await opened({ delayMs: () => 10 });
    let consumed = 0;
    theirs.data = (bytes) => {
      consumed += bytes.length;
      expect(near.bytesSent - consumed).toBeLessThanOrEqual(far.windowBytes);
    };
    pump(near, new Uint8Array(10_000_000), ours);
    await world.clock.advance(2000);
    expect(consumed).toBe(10_000_000);
  });

  test('a sender keeps to the credit it was opened with', async () => {
    const { world, near, far, theirs } = await opened();
    near.pause();
    far.write(new Uint8Array(3_000_000));
    await world.clock.advance(1000);
    expect([far.bytesSent, far.pendingBytes, theirs.events]).toEqual([near.windowBytes, 3_000_000 - near.windowBytes, []]);
  });

  test('a link that does not take anything bounds what is sealed', async () => {
    const { world, nodes, links, near, ours } = await opened();
    links[1].pause();
    const slabs = nodes[0].slabs.out;
    pump(near, new Uint8Array(20_000_000), ours);
    await world.clock.advance(1000);
    // 256 KiB in the carrier, 128 KiB in the link, one record more and 64 KiB in the stream.
    expect(near.bytesSent).toBeLessThan((256 + 128 + 2 * 64) * 1024);
    expect(nodes[0].slabs.out - slabs).toBeLessThanOrEqual(3);
  });
});

describe('closing', () => {
  test.each([1, 2, 5, 8, 12])('after finished() loses nothing, however full the link is (%i pieces)', async (pieces) => {
    const { world, sessions, links, near, ours, theirs } = await opened();
    let got = 0;
    theirs.data = (bytes) => void (got += bytes.length);
    // The carrier stands still for a moment, so that everything waits.
    links[1].pause();
    ours.finished = () => sessions[0].close();
    for (let i = 0; i < pieces; i++) {
      near.write(new Uint8Array(60_000));
      await world.clock.advance(5);
    }
    near.end();
    await world.clock.advance(5);
    links[1].resume();
    await world.clock.advance(10_000);
    expect(got).toBe(pieces * 60_000);
    expect(theirs.events).toContain('end');
  });
});
