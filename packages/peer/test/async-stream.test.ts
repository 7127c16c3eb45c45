import type { World } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type AsyncStream, type Session, type Stream, asyncStream } from '../src/index.ts';
import { type Pair, pattern, sameBytes, sessionPair } from './pair.ts';

interface Opened extends Pair {
  readonly near: AsyncStream;
  readonly far: AsyncStream;
}

async function opened(): Promise<Opened> {
  const pair = sessionPair(1, { delayMs: () => 5 });
  const { promise, resolve } = Promise.withResolvers<Stream>();
  pair.nodes[1].protocols.serve('/test/1', resolve);
  const near = await pair.world.run(pair.sessions[0].openStream('/test/1'));
  return { ...pair, near: asyncStream(near), far: asyncStream(await promise) };
}

async function collect(io: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of io) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

async function echo(world: World, session: Session, bytes: Uint8Array): Promise<Uint8Array> {
  const io = asyncStream(await world.run(session.openStream('/echo/1')));
  const [, back] = await world.run(Promise.all([io.write(bytes).then(() => io.end()), collect(io)]));
  await world.run(io.closed);
  return back;
}

describe('an async stream', () => {
  test('echoes in three lines', async () => {
    const { world, sessions, nodes } = sessionPair(1, { delayMs: () => 5 });
    nodes[1].protocols.serve('/echo/1', async (stream) => {
      const io = asyncStream(stream);
      for await (const chunk of io) await io.write(chunk);
      await io.end();
    });
    const bytes = pattern(3_000_000);
    expect(sameBytes(await echo(world, sessions[0], bytes), bytes)).toBe(true);
    expect([...sessions[0].streams, ...sessions[1].streams]).toEqual([]);
  });

  test('hands out copies that stay as they are', async () => {
    const { world, near, far } = await opened();
    const chunks: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of far) chunks.push(chunk);
    })();
    for (let i = 0; i < 20; i++) {
      const bytes = new Uint8Array(1000).fill(i);
      // oxlint-disable-next-line no-await-in-loop
      await world.run(near.write(bytes));
      bytes.fill(0xff);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(20);
    }
    await world.run(Promise.all([near.end(), reading]));
    expect(chunks).toEqual(Array.from({ length: 20 }, (_, index) => new Uint8Array(1000).fill(index)));
  });

  test('reads nothing ahead: one window is all that is on its way', async () => {
    const { world, near, far } = await opened();
    let written = false;
    const writing = near.write(new Uint8Array(3_000_000)).then(() => (written = true));
    await world.clock.advance(5000);
    expect([near.stream.bytesSent, far.stream.bytesReceived, written]).toEqual([far.stream.windowBytes, 0, false]);
    const first = (await world.run(far.read())) as Uint8Array;
    await world.clock.advance(5000);
    expect(far.stream.bytesReceived).toBe(first.length);
    let got = first.length;
    const rest = (async () => {
      while (got < 3_000_000) got += (await far.read())?.length ?? 0;
    })();
    await world.run(Promise.all([writing, rest]));
    expect([got, written]).toEqual([3_000_000, true]);
  });

  test('writes in the order of the calls, without waiting in between', async () => {
    const { world, near, far } = await opened();
    const parts = [pattern(1_500_000, 1), pattern(10, 2), pattern(0), pattern(200_000, 3)];
    const writing = parts.map((part) => near.write(part));
    const [back] = await world.run(Promise.all([collect(far), near.end(), ...writing]));
    expect(sameBytes(back, Uint8Array.from(Buffer.concat(parts)))).toBe(true);
  });

  test('end resolves once everything has gone out, and the session may be closed', async () => {
    const { world, sessions, near, far } = await opened();
    const bytes = pattern(2_000_000);
    const reading = collect(far);
    await world.run(near.write(bytes));
    await world.run(near.end());
    expect(near.stream.pendingBytes).toBe(0);
    sessions[0].close();
    expect(sameBytes(await world.run(reading), bytes)).toBe(true);
    await expect(near.closed).rejects.toMatchObject({ code: 'closed' });
  });

  test('read gives undefined at the end, again and again', async () => {
    const { world, near, far } = await opened();
    await world.run(near.end());
    expect([await world.run(far.read()), await world.run(far.read())]).toEqual([undefined, undefined]);
    await world.run(far.end());
    expect(await world.run(near.read())).toBeUndefined();
    await world.run(Promise.all([near.closed, far.closed]));
    expect([near.stream.closed, await near.read()]).toEqual([true, undefined]);
  });

  test('two reads at once are a mistake', async () => {
    const { world, near, far } = await opened();
    const first = far.read();
    await expect(far.read()).rejects.toThrow(TypeError);
    await near.write(Uint8Array.of(1));
    await expect(world.run(first)).resolves.toEqual(Uint8Array.of(1));
  });

  test('whoever leaves the loop early resets the stream', async () => {
    const { world, near, far } = await opened();
    const writing = near.write(new Uint8Array(10_000_000));
    const reading = (async () => {
      for await (const chunk of far) if (chunk.length > 0) break;
    })();
    await world.run(reading);
    await expect(world.run(writing)).rejects.toMatchObject({ code: 'stream.reset' });
    await expect(far.closed).rejects.toMatchObject({ code: 'stream.reset' });
  });

  test('errors come out typed wherever one waits', async () => {
    const { world, near, far } = await opened();
    const writing = near.write(new Uint8Array(10_000_000));
    const ending = near.end();
    const reading = near.read();
    const failures = Promise.allSettled([writing, ending, reading, near.closed]);
    await world.clock.advance(100);
    far.stream.reset('stream.limit');
    expect((await world.run(failures)).map((result) => (result as PromiseRejectedResult).reason as unknown)).toEqual(
      Array.from({ length: 4 }, () => expect.objectContaining({ code: 'stream.limit' }) as unknown),
    );
    await expect(near.read()).rejects.toMatchObject({ code: 'stream.limit' });
    await expect(near.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'stream.limit' });
    await expect(near.end()).rejects.toMatchObject({ code: 'stream.limit' });
    await expect(collect(near)).rejects.toMatchObject({ code: 'stream.limit' });
  });

  test('over a stream that is over already says so', async () => {
    const { near } = await opened();
    near.stream.reset('stream.limit');
    const late = asyncStream(near.stream);
    await expect(late.closed).rejects.toMatchObject({ code: 'stream.limit' });
    await expect(late.read()).rejects.toMatchObject({ code: 'stream.limit' });
  });

  test('writing after the end is refused', async () => {
    const { world, near } = await opened();
    await world.run(near.end());
    await expect(near.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'stream.reset' });
  });
});
