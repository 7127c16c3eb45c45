import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Clock } from '../src/clock.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Transport } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import * as nodeEntry from '../src/websocket/index.node.ts';
import * as platformEntry from '../src/websocket/index.ts';
import { TEST_CERT } from './websocket-certificate.ts';
import { StandingClock } from './standing-clock.ts';
import { ANY_PORT, FIRST, acceptance, foreignServer, listen, rawServer } from './websocket-strangers.ts';

const { websocket } = nodeEntry;
const transport = websocket({ ca: TEST_CERT })({ clock: systemClock });
const platform = platformEntry.websocket()({ clock: systemClock });

test('both entries export the same', () => {
  expect(Object.keys(nodeEntry)).toEqual(['websocket']);
  expect(Object.keys(platformEntry)).toEqual(['websocket']);
  expect(platform.listen).toBeUndefined();
});

describe.each<[string, (options: { connectTimeoutMs?: number; path?: string }, clock: Clock) => Transport]>([
  ['dialling', (options, clock) => websocket(options)({ clock })],
  ["dialling with the platform's WebSocket", (options, clock) => platformEntry.websocket(options)({ clock })],
])('%s', (_name, make) => {
  const dialler = make({}, systemClock);

  test('handles ws and wss endpoints', async () => {
    for (const [name, handled] of [
      ['ws', true],
      ['wss', true],
      ['tcp', false],
    ] as const)
      expect(dialler.handles({ ...ANY_PORT, transport: name })).toBe(handled);
    await expect(dialler.dial({ ...ANY_PORT, transport: 'tcp', port: 9 }, FIRST, {})).rejects.toMatchObject({
      code: 'transport.dial-failed',
    });
  });

  test('to where nobody listens fails, naming the endpoint', async () => {
    const listener = await listen(() => {});
    const { port } = listener.endpoint;
    await listener.close();
    const failure = dialler.dial({ ...ANY_PORT, port }, FIRST, {});
    await expect(failure).rejects.toMatchObject({ code: 'transport.dial-failed' });
    await expect(failure).rejects.toThrow(new RegExp(`ws://127\\.0\\.0\\.1:${port} could not be dialled: .+`));
  });

  test.each([
    ['answers HTTP', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    ['redirects', 'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n'],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['has no end of headers', `HTTP/1.1 101 Switching Protocols\r\n${'X-A: a\r\n'.repeat(20_000)}`],
    [
      'proves nothing',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    ],
    ['closes', ''],
  ])('to one that %s fails', async (_what, response) => {
    const endpoint = await rawServer((socket) => socket.once('data', () => socket.end(response)));
    await expect(dialler.dial(endpoint, FIRST, {})).rejects.toMatchObject({ code: 'transport.dial-failed' });
  });

  test.each(['', 'chat'])('to a WebSocket server that selects the subprotocol %j fails', async (subprotocol) => {
    const endpoint = await foreignServer(() => {}, subprotocol);
    await expect(dialler.dial(endpoint, FIRST, {})).rejects.toMatchObject({ code: 'transport.dial-failed' });
  });

  test('at another path fails', async () => {
    const { endpoint } = await listen(() => expect.unreachable(), { options: { path: '/other' } });
    await expect(dialler.dial(endpoint, FIRST, {})).rejects.toMatchObject({ code: 'transport.dial-failed' });
    const { accept, link } = acceptance();
    const other = await listen(accept, { options: { path: '/a/b' } });
    const dialled = await make({ path: '/a/b' }, systemClock).dial(other.endpoint, FIRST, {});
    await link;
    dialled.close();
  });

  test('can be given up before and while it connects', async () => {
    const { endpoint } = await listen(() => {});
    await expect(dialler.dial(endpoint, FIRST, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const controller = new AbortController();
    const dial = dialler.dial(endpoint, FIRST, { signal: controller.signal });
    controller.abort();
    await expect(dial).rejects.toMatchObject({ code: 'aborted' });
  });

  test('fails after connectTimeoutMs, also where somebody listens and says nothing', async () => {
    const clock = new StandingClock();
    const closed = Promise.withResolvers<void>();
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    const endpoint = await rawServer((socket) => {
      socket.on('data', () => resolve()).on('close', () => closed.resolve());
    });
    const dial = make({ connectTimeoutMs: 1000 }, clock).dial(endpoint, FIRST, {});
    await connected;
    clock.pass(1000);
    await expect(dial).rejects.toThrow(/no connection within 1000 ms/);
    await closed.promise;
    expect(clock.timers).toBe(0);
  });

  test('sends the first message before any answer, and leaves it to its owner', async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const endpoint = await foreignServer((socket) => socket.once('message', (data, isBinary) => isBinary && resolve(data as Buffer)));
    const first = FIRST.slice();
    const dial = dialler.dial(endpoint, first, {});
    first.fill(0);
    const link = await dial;
    expect([...(await promise)]).toEqual([...FIRST]);
    link.close();
  });

  test('refuses an empty first message', async () => {
    await expect(dialler.dial({ ...ANY_PORT, port: 9 }, new Uint8Array(0), {})).rejects.toThrow(RangeError);
  });

  test.each([
    ['text', 'text', 'transport.protocol'],
    ['nothing', new Uint8Array(0), 'transport.frame-length'],
    ['65,536 bytes', new Uint8Array(65_536), 'transport.frame-length'],
  ])('a link ends where the other side sends %s', async (_what, data, code) => {
    const closes: Promise<unknown>[] = [];
    const endpoint = await foreignServer((socket) => {
      closes.push(once(socket, 'close'));
      socket.send(Uint8Array.of(7));
      socket.send(data);
      socket.send(Uint8Array.of(8));
    });
    const owner = new Recorder();
    (await dialler.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages.map((message) => [...message])).toEqual([[7]]);
    expect(owner.reasons[0]?.code).toBe(code);
    await Promise.all(closes);
    expect(owner.late).toBe(0);
  });

  test('a link says with which status the other side closed it', async () => {
    const endpoint = await foreignServer((socket) => socket.close(1013, 'not now'));
    const owner = new Recorder();
    (await dialler.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]).toMatchObject({ code: 'transport.closed', message: 'the other side closed the connection (status 1013)' });
  });

  test('a link gives up flushing to somebody who does not read after 30 s', async () => {
    const clock = new StandingClock();
    const endpoint = await foreignServer((socket) => socket.pause());
    const link = await make({}, clock).dial(endpoint, FIRST, {});
    const owner = new Recorder();
    link.attach(owner);
    const message = new Uint8Array(65_535);
    for (let i = 0; i < 500; i++) link.send([message]);
    link.close();
    await sleep(50);
    expect(owner.reasons).toEqual([]);
    // What the system's buffers took meanwhile counts as progress, once.
    clock.pass(30_000);
    await sleep(20);
    clock.pass(30_000);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe('closed');
  });
});

describe('dialling in Node', () => {
  test('names the system’s reason', async () => {
    const listener = await listen(() => {});
    await listener.close();
    await expect(transport.dial(listener.endpoint, FIRST, {})).rejects.toThrow(/ECONNREFUSED/);
  });

  test('names the status of an answer that is no WebSocket', async () => {
    const { endpoint } = await listen(() => {}, { options: { path: '/other' } });
    await expect(transport.dial(endpoint, FIRST, {})).rejects.toThrow(/404/);
  });

  test('a host name gives a link to an address; a name that does not exist fails', async () => {
    const { endpoint } = await listen(() => {});
    const link = await transport.dial({ ...endpoint, host: 'localhost' }, FIRST, {});
    expect(link.remote).toEqual(endpoint);
    link.close();
    const nowhere = transport.dial({ ...ANY_PORT, host: 'does-not-exist.invalid', port: 9 }, FIRST, {});
    await expect(nowhere).rejects.toMatchObject({ code: 'transport.dial-failed' });
  });

  test('comes from localAddress, and both sides know the addresses', async () => {
    const { accept, link } = acceptance();
    const { endpoint } = await listen(accept);
    const dialled = await websocket({ localAddress: '127.0.0.5' })({ clock: systemClock }).dial(endpoint, FIRST, {});
    const accepted = await link;
    expect(dialled.local).toMatchObject({ transport: 'ws', host: '127.0.0.5' });
    expect(accepted.remote).toEqual(dialled.local);
    expect(accepted.local).toEqual(dialled.remote);
    expect(dialled.remote).toEqual(endpoint);
    dialled.close();
  });

  test('a link is not read faster than its owner takes messages', async () => {
    let sent = 0;
    const endpoint = await foreignServer((socket) => {
      const message = new Uint8Array(60_000);
      const next = (): void => {
        if (socket.readyState === WebSocket.OPEN && ++sent < 2000) socket.send(message, next);
      };
      next();
    });
    const link = await transport.dial(endpoint, FIRST, {});
    await sleep(100);
    expect(sent).toBeLessThan(1000);
    link.close();
  });

  test('a link says what the system says when it is reset', async () => {
    const endpoint = await foreignServer((socket, { socket: under }) => socket.once('message', () => under.resetAndDestroy()));
    const owner = new Recorder();
    (await transport.dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]).toMatchObject({ code: 'transport.closed', message: expect.stringContaining('ECONNRESET') });
  });

  test('a paused owner gets what came before the end', async () => {
    const endpoint = await foreignServer((socket) => {
      for (const byte of [7, 8, 9]) socket.send(Uint8Array.of(byte));
      socket.close();
    });
    const link = await transport.dial(endpoint, FIRST, {});
    const owner = new Recorder(() => link.pause());
    link.attach(owner);
    for (const count of [1, 2, 3]) {
      await owner.until(() => owner.messages.length === count);
      await sleep(20);
      expect(owner.messages).toHaveLength(count);
      link.resume();
    }
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages.map((message) => message[0])).toEqual([7, 8, 9]);
  });

  test('a link writes the sends of one tick together', async () => {
    let chunks = 0;
    let bytes = 0;
    const total = 500 * (6 + 10);
    const { promise, resolve } = Promise.withResolvers<void>();
    const endpoint = await foreignServer((_socket, { socket }) => {
      socket.on('data', (chunk: Uint8Array) => {
        chunks++;
        bytes += chunk.length;
        if (bytes >= total) resolve();
      });
    });
    const link = await transport.dial(endpoint, FIRST, {});
    for (let i = 0; i < 500; i++) link.send([Uint8Array.of(i), new Uint8Array(9)]);
    await promise;
    expect(chunks).toBeLessThanOrEqual(3);
    link.close();
  });

  test('has no timer while messages come and go', async () => {
    const clock = new StandingClock();
    const endpoint = await foreignServer((socket) => socket.on('message', (data) => socket.send(data as Buffer)));
    const link = await websocket()({ clock }).dial(endpoint, FIRST, {});
    const owner = new Recorder();
    link.attach(owner);
    for (let i = 1; i <= 5; i++) {
      await owner.until(() => owner.messages.length === i);
      link.send([FIRST]);
    }
    expect(clock.timers).toBe(0);
    link.close();
  });

  test('to wss trusts what it is told to, and only that', async () => {
    const { accept, link } = acceptance();
    const { endpoint } = await listen(accept, { on: { ...ANY_PORT, transport: 'wss' } });
    expect(endpoint.transport).toBe('wss');
    await expect(websocket()({ clock: systemClock }).dial(endpoint, FIRST, {})).rejects.toMatchObject({ code: 'transport.dial-failed' });
    const dialled = await transport.dial(endpoint, FIRST, {});
    expect((await link).remote).toEqual(dialled.local);
    dialled.close();
    const careless = await websocket({ verifyCertificate: false })({ clock: systemClock }).dial(endpoint, FIRST, {});
    careless.close();
  });

  test('to wss fails for a certificate of somebody else', async () => {
    const { endpoint } = await listen(() => expect.unreachable(), { on: { ...ANY_PORT, host: '127.0.0.2', transport: 'wss' } });
    await expect(transport.dial(endpoint, FIRST, {})).rejects.toThrow(/127\.0\.0\.2/);
  });
});

describe("dialling with the platform's WebSocket", () => {
  test('tells the endpoint that was dialled, and no local one', async () => {
    const { accept, link } = acceptance();
    const { endpoint } = await listen(accept);
    const dialled = await platform.dial({ ...endpoint, relayPort: 5n }, FIRST, {});
    expect(dialled.remote).toEqual(endpoint);
    expect(dialled.local).toEqual({ transport: 'ws', host: '0.0.0.0', port: 0 });
    await link;
    dialled.close();
  });

  test('a link keeps only so much for an owner who takes nothing, for nobody can tell the other side to stop', async () => {
    const endpoint = await foreignServer((socket) => {
      for (let i = 0; i < 100; i++) socket.send(new Uint8Array(10_000));
    });
    const link = await platform.dial(endpoint, FIRST, {});
    const owner = new Recorder(() => link.pause());
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages).toHaveLength(1);
    expect(owner.reasons[0]?.code).toBe('transport.protocol');
  });

  test('the same holds for many small messages', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const endpoint = await foreignServer((socket) => {
      for (let i = 0; i < 5000; i++) socket.send(Uint8Array.of(i));
      socket.on('close', () => resolve());
    });
    const link = await platform.dial(endpoint, FIRST, {});
    await closed;
    const owner = new Recorder();
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe('transport.protocol');
  });

  test('has no timer unless something waits to be written', async () => {
    const clock = new StandingClock();
    const endpoint = await foreignServer((socket) => socket.on('message', (data) => socket.send(data as Buffer)));
    const link = await platformEntry.websocket()({ clock }).dial(endpoint, FIRST, {});
    const owner = new Recorder();
    link.attach(owner);
    for (let i = 1; i <= 5; i++) {
      await owner.until(() => owner.messages.length === i);
      expect(link.send([FIRST])).toBe(true);
    }
    expect(clock.timers).toBe(0);
    while (link.send([new Uint8Array(60_000)]));
    expect(clock.timers).toBe(1);
    link.close();
  });

  test('fails where the platform has none', async () => {
    const { WebSocket: own } = globalThis;
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      await expect(platform.dial({ ...ANY_PORT, port: 9 }, FIRST, {})).rejects.toThrow(/no WebSocket/);
    } finally {
      Object.defineProperty(globalThis, 'WebSocket', { value: own, configurable: true, writable: true });
    }
  });
});

test('wrong options are refused', () => {
  expect(() => websocket({ localAddress: 'example.org' })).toThrow(TypeError);
  expect(() => websocket({ connectTimeoutMs: 0 })).toThrow(RangeError);
  expect(() => websocket({ maxUnanswered: Number.NaN })).toThrow(RangeError);
  expect(() => websocket({ cert: TEST_CERT })).toThrow(TypeError);
  expect(() => websocket({ cert: TEST_CERT, key: 'key' })).toThrow(TypeError);
  for (const path of ['', 'x', '/a b', '/a?b', '/a#b', '/a\r\nX: y']) {
    expect(() => websocket({ path })).toThrow(TypeError);
    expect(() => platformEntry.websocket({ path })).toThrow(TypeError);
  }
});
