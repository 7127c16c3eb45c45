import { describe, expect, test } from 'vitest';
import { type Stream, type WebStreams, webStreams } from '../src/index.ts';
import { type Pair, pattern, sameBytes, sessionPair } from './pair.ts';

interface Opened extends Pair {
  readonly near: Stream;
  readonly far: Stream;
  readonly ours: WebStreams;
  readonly theirs: WebStreams;
}

async function opened(): Promise<Opened> {
  const pair = sessionPair(1, { delayMs: () => 5 });
  const { promise, resolve } = Promise.withResolvers<Stream>();
  pair.nodes[1].protocols.serve('/test/1', resolve);
  const near = await pair.world.run(pair.sessions[0].openStream('/test/1'));
  const far = await promise;
  return { ...pair, near, far, ours: webStreams(near), theirs: webStreams(far) };
}

function source(bytes: Uint8Array, pieceLength = 50_000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at + pieceLength));
      at += pieceLength;
      if (at >= bytes.length) controller.close();
    },
  });
}

async function collect(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

describe('web streams', () => {
  test('pipe both ways and end each on its own', async () => {
    const { world, ours, theirs, near } = await opened();
    const echoing = theirs.readable.pipeTo(theirs.writable);
    const bytes = pattern(2_000_000);
    const [back] = await world.run(Promise.all([collect(ours.readable), source(bytes).pipeTo(ours.writable), echoing]));
    expect([sameBytes(back, bytes), near.closed]).toEqual([true, true]);
  });

  test('pass backpressure on, both ways', async () => {
    const { world, near, far, ours, theirs } = await opened();
    let written = 0;
    const writer = ours.writable.getWriter();
    const writing = (async () => {
      for (; written < 50; written++) await writer.write(new Uint8Array(100_000));
      await writer.close();
    })();
    await world.clock.advance(5000);
    expect([near.bytesSent, far.bytesReceived]).toEqual([far.windowBytes, 0]);
    expect(written).toBeLessThan(13);
    const [all] = await world.run(Promise.all([collect(theirs.readable), writing]));
    expect(all.length).toBe(5_000_000);
  });

  test('cancelling resets, with the reason where it is one of ours', async () => {
    const { world, ours, theirs } = await opened();
    await world.run(ours.readable.cancel('enough'));
    const error = expect.objectContaining({ code: 'stream.reset' }) as unknown;
    await expect(world.run(theirs.readable.getReader().read())).rejects.toEqual(error);
    await expect(world.run(theirs.writable.getWriter().closed)).rejects.toEqual(error);
  });

  test('aborting resets', async () => {
    const { world, ours, theirs } = await opened();
    await world.run(ours.writable.abort());
    await expect(world.run(theirs.readable.getReader().read())).rejects.toMatchObject({ code: 'stream.reset' });
  });

  test('errors come out typed, also of a writer that waits', async () => {
    const { world, far, ours } = await opened();
    const writer = ours.writable.getWriter();
    const failures = Promise.allSettled([writer.write(new Uint8Array(9_000_000)), writer.closed, ours.readable.getReader().read()]);
    await world.clock.advance(100);
    far.reset('stream.limit');
    for (const result of await world.run(failures)) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'stream.limit' } });
  });

  test('take nothing but bytes', async () => {
    const { ours } = await opened();
    await expect(ours.writable.getWriter().write('text' as unknown as Uint8Array)).rejects.toThrow(TypeError);
  });
});
