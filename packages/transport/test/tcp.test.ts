import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint, MatryoshkaError } from '@matryoshka/wire';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Accept, Link, Listener } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { tcp } from '../src/tcp/index.ts';

const ANY_PORT: Endpoint = { transport: 'tcp', host: '127.0.0.1', port: 0 };
const FIRST = Uint8Array.of(1, 2, 3);
const transport = tcp({ handshakeTimeoutMs: 200, maxUnanswered: 3 })({ clock: systemClock });

/** Real sockets under a time that only the test moves. */
class StandingClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return 0;
  }

  after(ms: number, run: () => void): { cancel: () => void } {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  soon(run: () => void): void {
    systemClock.soon(run);
  }

  get timers(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { run } of due) run();
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(accept: Accept, clock: Clock = systemClock): Promise<Listener> {
  const listener = await tcp({ handshakeTimeoutMs: 200, maxUnanswered: 3 })({ clock }).listen!(ANY_PORT, accept);
  cleanups.push(() => listener.close());
  return listener;
}

/** A stranger with a socket of its own. */
async function stranger(to: Endpoint): Promise<{ socket: Socket; got: Uint8Array[]; ended: Promise<string> }> {
  const socket = connect({ host: to.host, port: to.port });
  cleanups.push(() => socket.destroy());
  const got: Uint8Array[] = [];
  const ended = new Promise<string>((resolve) => {
    socket
      .on('data', (chunk: Uint8Array) => got.push(chunk))
      .on('end', () => resolve('end'))
      .on('error', (error) => resolve(error.message));
  });
  await once(socket, 'connect');
  return { socket, got, ended };
}

/** A listener without any framing. */
async function rawServer(connected: (socket: Socket) => void): Promise<Endpoint> {
  const server = createServer(connected).listen(0, '127.0.0.1');
  cleanups.push(() => server.close());
  await once(server, 'listening');
  return { ...ANY_PORT, port: (server.address() as { port: number }).port };
}

describe('dialling', () => {
  test('to where nobody listens fails, naming endpoint and reason', async () => {
    const listener = await listen(() => {});
    const { port } = listener.endpoint;
    await listener.close();
    const failure = transport.dial({ ...ANY_PORT, port }, FIRST, {});
    await expect(failure).rejects.toMatchObject({ code: 'transport.dial-failed' });
    await expect(failure).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port} could not be dialled: .*ECONNREFUSED`));
  });

  test('a host name gives a link to an address', async () => {
    const listener = await listen(() => {});
    const link = await transport.dial({ ...listener.endpoint, host: 'localhost' }, FIRST, {});
    expect(link.remote).toEqual(listener.endpoint);
    link.close();
  });

  test('a host name that does not exist fails', async () => {
    await expect(transport.dial({ ...ANY_PORT, host: 'does-not-exist.invalid', port: 9 }, FIRST, {})).rejects.toMatchObject({
      code: 'transport.dial-failed',
    });
  });

  test('can be given up before and while it connects', async () => {
    const listener = await listen(() => {});
    await expect(transport.dial(listener.endpoint, FIRST, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const controller = new AbortController();
    const dial = transport.dial(listener.endpoint, FIRST, { signal: controller.signal });
    controller.abort();
    await expect(dial).rejects.toMatchObject({ code: 'aborted' });
  });

  test('fails after connectTimeoutMs', async () => {
    const clock = new StandingClock();
    const listener = await listen(() => {});
    const dial = tcp({ connectTimeoutMs: 1000 })({ clock }).dial(listener.endpoint, FIRST, {});
    clock.pass(1000);
    await expect(dial).rejects.toThrow(/no connection within 1000 ms/);
  });

  test('comes from localAddress', async () => {
    const { promise, resolve } = Promise.withResolvers<Link>();
    const listener = await listen(resolve);
    const link = await tcp({ localAddress: '127.0.0.5' })({ clock: systemClock }).dial(listener.endpoint, FIRST, {});
    const accepted = await promise;
    expect(accepted.remote).toEqual(link.local);
    expect(link.local.host).toBe('127.0.0.5');
    expect(accepted.local).toEqual(link.remote);
    link.close();
    accepted.close();
  });

  test('sends the first message before any answer, and leaves it to its owner', async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const endpoint = await rawServer((socket) => socket.once('data', resolve));
    const first = FIRST.slice();
    const dial = transport.dial(endpoint, first, {});
    first.fill(0);
    const link = await dial;
    expect([...(await promise)]).toEqual([0, 3, 1, 2, 3]);
    link.close();
  });

  test('refuses an empty first message', async () => {
    await expect(transport.dial({ ...ANY_PORT, port: 9 }, new Uint8Array(0), {})).rejects.toThrow(RangeError);
  });
});

describe('a listener', () => {
  test('says which port it got, and that a port is in use', async () => {
    const { endpoint } = await listen(() => {});
    expect(endpoint).toMatchObject({ transport: 'tcp', host: '127.0.0.1' });
    const second = transport.listen!(endpoint, () => {});
    await expect(second).rejects.toMatchObject({ code: 'transport.listen-failed' });
    await expect(second).rejects.toThrow(new RegExp(`cannot listen on 127\\.0\\.0\\.1:${endpoint.port}: .*EADDRINUSE`));
  });

  test('frees its port and keeps its links when it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<Link>();
    const listener = await listen(resolve);
    const dialled = await transport.dial(listener.endpoint, FIRST, {});
    const accepted = await promise;
    await listener.close();
    await (await transport.listen!(listener.endpoint, () => {})).close();
    const owner = new Recorder();
    dialled.attach(owner);
    accepted.send([FIRST]);
    await owner.until(() => owner.messages.length === 1);
    dialled.close();
    accepted.close();
  });

  test.each([
    ['nothing', []],
    ['half a frame', [0, 9, 1]],
    ['a frame of no bytes', [0, 0, 7, 7, 7]],
  ])('tells a stranger that sends %s nothing, until the handshake deadline', async (_what, bytes) => {
    const { endpoint } = await listen(() => expect.unreachable());
    const startMs = performance.now();
    const { socket, got, ended } = await stranger(endpoint);
    socket.write(Uint8Array.from(bytes));
    expect(await ended).toBe('end');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(got).toEqual([]);
  });

  test('is as silent to whom its owner refuses', async () => {
    const { endpoint } = await listen((link) => link.close(new MatryoshkaError('session.busy')));
    const startMs = performance.now();
    const { socket, got, ended } = await stranger(endpoint);
    for (let i = 0; i < 10; i++) socket.write(Uint8Array.of(0, 1, 7));
    expect(await ended).toBe('end');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(got).toEqual([]);
  });

  test('closes the newest when too many were not answered', async () => {
    // Its time stands still, so no deadline ends anybody.
    const { endpoint } = await listen(() => {}, new StandingClock());
    const waiting = [await stranger(endpoint), await stranger(endpoint), await stranger(endpoint)];
    await (
      await stranger(endpoint)
    ).ended;
    expect(waiting.map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open']);
  });

  test('does not count links that were answered', async () => {
    const links: Link[] = [];
    const { endpoint } = await listen((link) => {
      link.send([FIRST]);
      links.push(link);
    });
    for (let i = 0; i < 6; i++) {
      const link = await transport.dial(endpoint, FIRST, {});
      const owner = new Recorder();
      link.attach(owner);
      await owner.until(() => owner.messages.length === 1);
      links.push(link);
    }
    for (const link of links) link.close();
  });
});

describe('a link', () => {
  test('ends when a frame is incomplete for 30 s, and not before', async () => {
    const clock = new StandingClock();
    const { promise, resolve } = Promise.withResolvers<Link>();
    const { endpoint } = await listen(resolve, clock);
    const { socket } = await stranger(endpoint);
    socket.write(Uint8Array.of(0, 1, 7, 0, 4, 1));
    const link = await promise;
    const owner = new Recorder();
    link.attach(owner);
    link.send([FIRST]);
    await sleep(20);
    clock.pass(29_000);
    socket.write(Uint8Array.of(2, 3, 4, 0, 2));
    await owner.until(() => owner.messages.length === 1);
    clock.pass(1000);
    await sleep(20);
    expect(owner.reasons).toEqual([]);
    clock.pass(29_000);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe('transport.frame-incomplete');
  });

  test('has no timer while its frames are whole', async () => {
    const clock = new StandingClock();
    const { promise, resolve } = Promise.withResolvers<Link>();
    const { endpoint } = await listen(resolve, clock);
    const { socket } = await stranger(endpoint);
    socket.write(Uint8Array.of(0, 1, 7));
    const owner = new Recorder();
    (await promise).attach(owner);
    for (let i = 1; i <= 5; i++) {
      socket.write(Uint8Array.of(0, 1, 7));
      await owner.until(() => owner.messages.length === i);
    }
    expect(clock.timers).toBe(0);
  });

  test('ends at a frame of no bytes', async () => {
    const endpoint = await rawServer((socket) => socket.write(Uint8Array.of(0, 1, 7, 0, 0, 1)));
    const owner = new Recorder();
    (await transport.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages).toHaveLength(1);
    expect(owner.reasons[0]?.code).toBe('transport.frame-length');
  });

  test('says what the system says when it is reset', async () => {
    const endpoint = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const owner = new Recorder();
    (await transport.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]).toMatchObject({ code: 'transport.closed', message: expect.stringContaining('ECONNRESET') });
  });

  test('gives a paused owner what came before the end', async () => {
    const endpoint = await rawServer((socket) => socket.end(Uint8Array.of(0, 1, 7, 0, 1, 8, 0, 1, 9)));
    const link = await transport.dial(endpoint, FIRST, {});
    const owner = new Recorder(() => link.pause());
    link.attach(owner);
    await owner.until(() => owner.messages.length === 1);
    await sleep(20);
    expect(owner.reasons).toEqual([]);
    link.resume();
    await owner.until(() => owner.messages.length === 2);
    link.resume();
    await owner.until(() => owner.messages.length === 3);
    link.resume();
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages.map((message) => message[0])).toEqual([7, 8, 9]);
  });

  test('gives each of several links its own frames, though all are read into one buffer', async () => {
    const COUNT = 3;
    const links: Link[] = [];
    const arrived = Promise.withResolvers<void>();
    const { endpoint } = await listen((link) => {
      if (links.push(link) === COUNT) arrived.resolve();
    });
    // In pieces of odd lengths, in turn: each read ends in the middle of a frame or of a header, and the next read is
    // that of another socket.
    const strangers = await Promise.all(Array.from({ length: COUNT }, () => stranger(endpoint)));
    const message = (who: number, index: number): Uint8Array =>
      new Uint8Array(1 + ((index * 7919) % 3000)).fill(who * 50 + index).fill(who, 0, 1);
    const frames = (who: number): Uint8Array =>
      Uint8Array.from(
        Array.from({ length: 40 }, (_, index) => message(who, index)).flatMap((body) => [body.length >> 8, body.length & 255, ...body]),
      );
    const owners = strangers.map(() => new Recorder());
    const streams = strangers.map((_, who) => frames(who));
    const piece = 1501;
    const longest = Math.max(...streams.map(({ length }) => length));
    for (let at = 0; at < longest; at += piece) {
      for (const [who, { socket }] of strangers.entries()) {
        const bytes = (streams[who] as Uint8Array).subarray(at, at + piece);
        if (bytes.length > 0) socket.write(bytes);
      }
      await sleep(1);
      if (at === 0) {
        await arrived.promise;
        for (const [index, link] of links.entries()) link.attach(owners[index] as Recorder);
      }
    }
    const expected = Array.from({ length: COUNT }, (_, who) => Array.from({ length: 39 }, (_unused, index) => message(who, index + 1)));
    await Promise.all(owners.map((owner) => owner.until(() => owner.messages.length === 39)));
    for (const owner of owners) {
      const who = (owner.messages[0] as Uint8Array)[0] as number;
      expect(owner.messages).toEqual(expected[who]);
    }
    expect(new Set(owners.map((owner) => owner.messages[0]?.[0])).size).toBe(COUNT);
    for (const link of links) link.close();
  });

  test('keeps what a paused owner has not taken of a chunk, whatever is read meanwhile', async () => {
    const chunk = (value: number): Uint8Array =>
      Uint8Array.from(Array.from({ length: 5 }, (_, index) => [0, 4, value, value, value, index]).flat());
    const [quiet, busy] = [await rawServer((socket) => socket.write(chunk(7))), await rawServer((socket) => socket.pipe(socket))];
    const held = await transport.dial(quiet, FIRST, {});
    // It pauses in the middle of the chunk, in which all five frames are.
    const owner = new Recorder(() => {
      if (owner.messages.length === 2) held.pause();
    });
    held.attach(owner);
    await owner.until(() => owner.messages.length === 2);

    const other = await transport.dial(busy, FIRST, {});
    const others = new Recorder();
    other.attach(others);
    for (let i = 0; i < 20; i++) other.send([new Uint8Array(60_000).fill(0xff)]);
    await others.until(() => others.messages.length === 21);
    expect(owner.messages).toHaveLength(2);
    held.resume();
    await owner.until(() => owner.messages.length === 5);
    expect(owner.messages).toEqual(Array.from({ length: 5 }, (_, index) => Uint8Array.of(7, 7, 7, index)));
    expect(others.messages.slice(1).every((message) => message.length === 60_000 && message.every((byte) => byte === 0xff))).toBe(true);
    held.close();
    other.close();
  });

  test('reads into memory that nobody can take away', async () => {
    const endpoint = await rawServer((socket) => socket.pipe(socket));
    const link = await transport.dial(endpoint, FIRST, {});
    const refused: unknown[] = [];
    const owner = new Recorder((bytes) => {
      try {
        structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
      } catch (error) {
        refused.push(error);
      }
    });
    link.attach(owner);
    await owner.until(() => owner.messages.length === 1);
    link.send([Uint8Array.of(4, 5)]);
    await owner.until(() => owner.messages.length === 2);
    expect(owner.messages).toEqual([FIRST, Uint8Array.of(4, 5)]);
    expect(refused).toHaveLength(2);
    link.close();
  });

  test('writes the sends of one tick together', async () => {
    const chunks: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const total = FIRST.length + 2 + 500 * 12;
    const endpoint = await rawServer((socket) =>
      socket.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk.length);
        if (chunks.reduce((a, b) => a + b) === total) resolve();
      }),
    );
    const link = await transport.dial(endpoint, FIRST, {});
    for (let i = 0; i < 500; i++) link.send([Uint8Array.of(i), new Uint8Array(9)]);
    await promise;
    expect(chunks.length).toBeLessThanOrEqual(3);
    link.close();
  });

  test('gives up flushing to somebody who does not read after 30 s', async () => {
    const clock = new StandingClock();
    const endpoint = await rawServer((socket) => socket.pause());
    const link = await tcp()({ clock }).dial(endpoint, FIRST, {});
    const owner = new Recorder();
    link.attach(owner);
    const message = new Uint8Array(65_535);
    for (let i = 0; i < 500; i++) link.send([message]);
    link.close();
    await sleep(50);
    // What the system took first counts as going out after the close.
    clock.pass(30_000);
    await sleep(50);
    clock.pass(29_999);
    await sleep(50);
    expect(owner.reasons).toEqual([]);
    clock.pass(1);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe('closed');
  });
});

test('wrong options are refused', () => {
  expect(() => tcp({ localAddress: 'example.org' })).toThrow(TypeError);
  expect(() => tcp({ connectTimeoutMs: 0 })).toThrow(RangeError);
  expect(() => tcp({ maxUnanswered: Number.NaN })).toThrow(RangeError);
});
