import { setTimeout as sleep } from 'node:timers/promises';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Accept, Link, Listener } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { tcp } from '../src/tcp/index.ts';
import { StandingClock, cleanups } from './standing-clock.ts';
import { ANY_PORT, ByHand, FIRST, MASK_KEYS, contextOf, firstFlight, joined, rawServer, serverByHand, stranger } from './tcp-strangers.ts';

const transport = tcp({ handshakeTimeoutMs: 200, maxUnanswered: 3 })(contextOf(systemClock));

async function listen(accept: Accept, clock: Clock = systemClock): Promise<Listener> {
  const listener = await tcp({ handshakeTimeoutMs: 200, maxUnanswered: 3 })(contextOf(clock)).listen!(ANY_PORT, accept);
  cleanups.push(() => listener.close());
  return listener;
}

/** The handshake is over on a link that was dialled. */
function protectDialled(link: Link): void {
  link.protect(MASK_KEYS.forward, MASK_KEYS.backward);
}

function protectAccepted(link: Link): void {
  link.protect(MASK_KEYS.backward, MASK_KEYS.forward);
}

/** A listener whose links answer the first message, are over with the handshake, and send back whatever comes. */
async function echoListener(): Promise<Listener> {
  return listen((link, first) => {
    link.attach(new Recorder((bytes) => void link.send([bytes.slice()])));
    link.send([first.slice()]);
    protectAccepted(link);
  });
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
    const dial = tcp({ connectTimeoutMs: 1000 })(contextOf(clock)).dial(listener.endpoint, FIRST, {});
    clock.pass(1000);
    await expect(dial).rejects.toThrow(/no connection within 1000 ms/);
  });

  test('comes from localAddress', async () => {
    const { promise, resolve } = Promise.withResolvers<Link>();
    const listener = await listen(resolve);
    const link = await tcp({ localAddress: '127.0.0.5' })(contextOf(systemClock)).dial(listener.endpoint, FIRST, {});
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
    expect(new ByHand('accepting').read(await promise)).toEqual([FIRST]);
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

  test('is silent to whom its owner refuses', async () => {
    const { endpoint } = await listen((link) => link.close(new MatryoshkaError('session.busy')));
    const startMs = performance.now();
    const { socket, got, ended } = await stranger(endpoint);
    socket.write(firstFlight());
    for (let i = 0; i < 10; i++) socket.write(Uint8Array.of(0, 1, 7));
    expect(await ended).toBe('end');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(got).toEqual([]);
  });

  test('closes the oldest of those that were not answered when there are too many', async () => {
    // Its time stands still, so no deadline ends anybody.
    const { endpoint } = await listen(() => {}, new StandingClock());
    const oldest = await stranger(endpoint);
    const others = [await stranger(endpoint), await stranger(endpoint), await stranger(endpoint)];
    await oldest.ended;
    expect(others.map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open']);
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
    const hand = new ByHand('dialling');
    const [first, second, third] = [hand.veiled(FIRST), hand.veiled(FIRST), hand.veiled(FIRST)];
    socket.write(joined([first, second.subarray(0, 5)]));
    const link = await promise;
    const owner = new Recorder();
    link.attach(owner);
    link.send([FIRST]);
    await sleep(20);
    clock.pass(29_000);
    socket.write(joined([second.subarray(5), third.subarray(0, 1)]));
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
    const hand = new ByHand('dialling');
    socket.write(hand.veiled(FIRST));
    const owner = new Recorder();
    const link = await promise;
    link.attach(owner);
    link.send([FIRST]);
    protectAccepted(link);
    for (let i = 1; i <= 5; i++) {
      socket.write(hand.masked(MASK_KEYS.forward, FIRST));
      await owner.until(() => owner.messages.length === i);
    }
    expect(clock.timers).toBe(0);
  });

  test('ends at a frame of no bytes', async () => {
    const endpoint = await serverByHand((hand, socket) => {
      socket.write(joined([hand.veiled(FIRST), hand.header(MASK_KEYS.backward, 0)]));
    });
    const link = await transport.dial(endpoint, FIRST, {});
    const owner = new Recorder(() => protectDialled(link));
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages).toHaveLength(1);
    expect(owner.reasons[0]?.code).toBe('transport.frame-length');
  });

  test('takes short messages only while it is not protected', async () => {
    const endpoint = await serverByHand((hand, socket) => void socket.write(hand.veiled(FIRST)));
    const link = await transport.dial(endpoint, FIRST, {});
    expect(() => protectDialled(link)).toThrow(TypeError);
    expect(() => link.send([new Uint8Array(2048)])).toThrow(RangeError);
    const owner = new Recorder(() => protectDialled(link));
    link.attach(owner);
    await owner.until(() => owner.messages.length === 1);
    link.send([new Uint8Array(65_535)]);
    await owner.until(() => owner.writtenSends === 1);
    expect(() => link.protect(new Uint8Array(31), new Uint8Array(32))).toThrow(RangeError);
    link.close();
  });

  test('says what the system says when it is reset', async () => {
    const endpoint = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const owner = new Recorder();
    (await transport.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]).toMatchObject({ code: 'transport.closed', message: expect.stringContaining('ECONNRESET') });
  });

  test('gives a paused owner what came before the end', async () => {
    const endpoint = await serverByHand(
      (hand, socket) => void socket.end(hand.veiled(Uint8Array.of(7), Uint8Array.of(8), Uint8Array.of(9))),
    );
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
    const owners: Recorder[] = [];
    const { endpoint } = await listen((link) => {
      link.send([FIRST]);
      const index = links.push(link) - 1;
      const owner: Recorder = new Recorder(() => {
        if (owner.messages.length === 2) protectAccepted(link);
      });
      owners[index] = owner;
      link.attach(owner);
    });
    // In pieces of odd lengths, in turn: each read ends in the middle of a frame or of a header, and the next read is
    // that of another socket.
    const strangers = await Promise.all(Array.from({ length: COUNT }, () => stranger(endpoint)));
    const message = (who: number, index: number): Uint8Array =>
      new Uint8Array(1 + ((index * 7919) % 3000)).fill(who * 50 + index).fill(who, 0, 1);
    // The first message and two more of a handshake, then those of a session.
    const frames = (who: number): Uint8Array => {
      const hand = new ByHand('dialling');
      const [one, two, three, ...others] = Array.from({ length: 40 }, (_, index) => message(who, index));
      return joined([hand.veiled(one as Uint8Array, two as Uint8Array, three as Uint8Array), hand.masked(MASK_KEYS.forward, ...others)]);
    };
    const streams = strangers.map((_, who) => frames(who));
    const piece = 1501;
    const longest = Math.max(...streams.map(({ length }) => length));
    for (let at = 0; at < longest; at += piece) {
      for (const [who, { socket }] of strangers.entries()) {
        const bytes = (streams[who] as Uint8Array).subarray(at, at + piece);
        if (bytes.length > 0) socket.write(bytes);
      }
      await sleep(1);
    }
    const expected = Array.from({ length: COUNT }, (_, who) => Array.from({ length: 39 }, (_unused, index) => message(who, index + 1)));
    while (owners.length < COUNT) await sleep(1);
    await Promise.all(owners.map((owner) => owner.until(() => owner.messages.length === 39)));
    for (const owner of owners) {
      const who = (owner.messages[0] as Uint8Array)[0] as number;
      expect(owner.messages).toEqual(expected[who]);
    }
    expect(new Set(owners.map((owner) => owner.messages[0]?.[0])).size).toBe(COUNT);
    for (const link of links) link.close();
  });

  test('keeps what a paused owner has not taken of a chunk, whatever is read meanwhile', async () => {
    const chunk = (hand: ByHand): Uint8Array =>
      joined([hand.veiled(FIRST), hand.masked(MASK_KEYS.backward, ...[1, 2, 3, 4].map((index) => Uint8Array.of(7, 7, 7, index)))]);
    const quiet = await serverByHand((hand, socket) => void socket.write(chunk(hand)));
    const busy = await echoListener();
    const held = await transport.dial(quiet, FIRST, {});
    // It pauses in the middle of the chunk, in which all five frames are.
    const owner = new Recorder(() => {
      if (owner.messages.length === 1) protectDialled(held);
      if (owner.messages.length === 2) held.pause();
    });
    held.attach(owner);
    await owner.until(() => owner.messages.length === 2);

    const other = await transport.dial(busy.endpoint, FIRST, {});
    const others = new Recorder(() => {
      if (others.messages.length === 1) protectDialled(other);
    });
    other.attach(others);
    await others.until(() => others.messages.length === 1);
    for (let i = 0; i < 20; i++) other.send([new Uint8Array(60_000).fill(0xff)]);
    await others.until(() => others.messages.length === 21);
    expect(owner.messages).toHaveLength(2);
    held.resume();
    await owner.until(() => owner.messages.length === 5);
    expect(owner.messages).toEqual([FIRST, ...[1, 2, 3, 4].map((index) => Uint8Array.of(7, 7, 7, index))]);
    expect(others.messages.slice(1).every((message) => message.length === 60_000 && message.every((byte) => byte === 0xff))).toBe(true);
    held.close();
    other.close();
  });

  test('reads into memory that nobody can take away', async () => {
    const { endpoint } = await echoListener();
    const link = await transport.dial(endpoint, FIRST, {});
    const refused: unknown[] = [];
    const owner = new Recorder((bytes) => {
      try {
        structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
      } catch (error) {
        refused.push(error);
      }
      if (owner.messages.length === 1) protectDialled(link);
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
    const endpoint = await serverByHand((hand, socket) => {
      socket.write(hand.veiled(FIRST));
      socket.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk.length);
        if (chunks.reduce((a, b) => a + b) === 500 * 12) resolve();
      });
    });
    const link = await transport.dial(endpoint, FIRST, {});
    const owner = new Recorder(() => protectDialled(link));
    link.attach(owner);
    await owner.until(() => owner.messages.length === 1);
    for (let i = 0; i < 500; i++) link.send([Uint8Array.of(i), new Uint8Array(9)]);
    await promise;
    expect(chunks.length).toBeLessThanOrEqual(3);
    link.close();
  });

  test('gives up flushing to somebody who does not read after 30 s', async () => {
    const clock = new StandingClock();
    const endpoint = await serverByHand((hand, socket) => void socket.pause().write(hand.veiled(FIRST)));
    const link = await tcp()(contextOf(clock)).dial(endpoint, FIRST, {});
    const owner = new Recorder(() => protectDialled(link));
    link.attach(owner);
    await owner.until(() => owner.messages.length === 1);
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
