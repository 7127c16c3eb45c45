import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { AddressAdmission, DEFAULT_ADMISSION_SETTINGS } from '../src/admission.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Link } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { websocket } from '../src/websocket/index.node.ts';
import { TEST_CERT } from './websocket-certificate.ts';
import { StandingClock, cleanups } from './standing-clock.ts';
import {
  ANY_PORT,
  BINARY,
  BINARY_TO_BE_CONTINUED,
  CONTINUED,
  FIRST,
  LISTENING,
  PING,
  TEXT,
  acceptance,
  frame,
  listen,
  stranger,
  upgradeRequest,
  upgraded,
} from './websocket-strangers.ts';

const transport = websocket({ ca: TEST_CERT })({ clock: systemClock });

describe('a listener', () => {
  test('says which port it got, and that a port is in use', async () => {
    const { endpoint } = await listen(() => {});
    expect(endpoint).toMatchObject({ transport: 'ws', host: '127.0.0.1' });
    const second = transport.listen!(endpoint, () => {});
    await expect(second).rejects.toMatchObject({ code: 'transport.listen-failed' });
    await expect(second).rejects.toThrow(new RegExp(`cannot listen on ws://127\\.0\\.0\\.1:${endpoint.port}: .*EADDRINUSE`));
  });

  test('says that wss needs a certificate, and that a tcp endpoint is not for it', async () => {
    const bare = websocket()({ clock: systemClock });
    await expect(bare.listen!({ ...ANY_PORT, transport: 'wss' }, () => {})).rejects.toThrow(/options cert and key/);
    await expect(bare.listen!({ ...ANY_PORT, transport: 'tcp' }, () => {})).rejects.toMatchObject({ code: 'transport.listen-failed' });
  });

  test('frees its port and keeps its links when it closes', async () => {
    const { accept, link, owner } = acceptance();
    const listener = await listen(accept);
    const dialled = await transport.dial(listener.endpoint, FIRST, {});
    const accepted = await link;
    await listener.close();
    await (await transport.listen!(listener.endpoint, () => {})).close();
    const dialler = new Recorder();
    dialled.attach(dialler);
    accepted.send([FIRST]);
    await dialler.until(() => dialler.messages.length === 1);
    dialled.close();
    await owner.until(() => owner.reasons.length === 1);
  });

  test('answers a request that is none for a WebSocket with 426', async () => {
    const { endpoint } = await listen(() => expect.unreachable());
    const get = request({ host: endpoint.host, port: endpoint.port, path: '/matryoshka' }).end();
    const [response] = (await once(get, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(426);
    expect(response.headers).toMatchObject({ upgrade: 'websocket', connection: 'upgrade, close' });
    response.resume();
  });

  test.each([
    ['another path', { path: '/chat' }, 404],
    ['a path that only begins alike', { path: '/matryoshka/x' }, 404],
    ['no subprotocol', { headers: { 'Sec-WebSocket-Protocol': undefined } }, 400],
    ['another subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'chat' } }, 400],
    ['no key', { headers: { 'Sec-WebSocket-Key': undefined } }, 400],
    ['another version', { headers: { 'Sec-WebSocket-Version': '12' } }, 400],
    ['another protocol', { headers: { Upgrade: 'h2c' } }, 400],
    ['an origin that may not', { headers: { Origin: 'https://evil.example' } }, 403],
    ['a head that does not end', { headers: { 'X-Long': 'x'.repeat(10_000) } }, 431],
  ])('refuses a request with %s', async (_what, changed, status) => {
    const { endpoint } = await listen(() => expect.unreachable(), { options: { origins: ['https://good.example'] } });
    const { socket, got, ended } = await stranger(endpoint);
    socket.write(upgradeRequest(changed));
    await ended;
    expect(got()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('lets in pages of the origins it names, and whatever is no browser', async () => {
    const firsts: number[] = [];
    const { endpoint } = await listen(
      (link, [first]) => {
        firsts.push(first as number);
        link.send([FIRST]);
        cleanups.push(() => link.close());
      },
      { options: { origins: ['https://good.example'] } },
    );
    for (const [i, headers] of [{ Origin: 'https://good.example' }, {}].entries()) {
      const { socket, got } = await stranger(endpoint);
      socket.write(upgradeRequest({ headers }));
      socket.write(frame(BINARY, Uint8Array.of(i)));
      while (!got().endsWith('\x01\x02\x03')) await once(socket, 'data');
    }
    expect(firsts).toEqual([0, 1]);
  });

  test('answers garbage with 400', async () => {
    const { endpoint } = await listen(() => expect.unreachable());
    const { socket, got, ended } = await stranger(endpoint);
    socket.write(Uint8Array.from({ length: 5000 }, (_, i) => (i * 199) & 255));
    await ended;
    expect(got()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('takes no compression', async () => {
    const { endpoint } = await listen(() => {});
    const { socket, got } = await stranger(endpoint);
    socket.write(upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } }));
    while (!got().endsWith('\r\n\r\n')) await once(socket, 'data');
    expect(got()).toMatch(/^HTTP\/1\.1 101 /);
    expect(got().toLowerCase()).not.toContain('extensions');
  });

  test.each([
    ['sends nothing', ''],
    ['sends half a request', upgradeRequest().slice(0, 60)],
    ['sends no message', upgradeRequest()],
    ['sends half a message', upgradeRequest() + Buffer.from(frame(BINARY, FIRST, 9)).toString('latin1')],
    ['only pings', upgradeRequest() + Buffer.from(frame(PING, FIRST)).toString('latin1')],
  ])('closes on a stranger that %s at the handshake deadline', async (_what, bytes) => {
    const { endpoint } = await listen(() => expect.unreachable());
    const startMs = performance.now();
    const { socket, ended } = await stranger(endpoint);
    socket.write(bytes, 'latin1');
    await ended;
    const afterMs = performance.now() - startMs;
    expect(afterMs).toBeGreaterThan(150);
    expect(afterMs).toBeLessThan(2000);
  });

  test('closes on a stranger that does not finish TLS, and on one that does not speak it', async () => {
    const { endpoint } = await listen(() => expect.unreachable(), { on: { ...ANY_PORT, transport: 'wss' } });
    const startMs = performance.now();
    const silent = await stranger(endpoint);
    const plain = await stranger(endpoint);
    plain.socket.write(upgradeRequest());
    await plain.ended;
    expect(plain.got()).not.toContain('HTTP');
    const afterMs = performance.now() - startMs;
    expect(afterMs).toBeLessThan(150);
    await silent.ended;
    expect(silent.got()).toBe('');
    expect(performance.now() - startMs).toBeGreaterThan(150);
  });

  test('answers HTTP over TLS as well', async () => {
    const { endpoint } = await listen(() => expect.unreachable(), { on: { ...ANY_PORT, transport: 'wss' } });
    const socket = connectTls({ host: endpoint.host, port: endpoint.port, ca: TEST_CERT });
    cleanups.push(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 426 /);
  });

  test.each([
    ['text', frame(TEXT, Uint8Array.of(0x68, 0x69)), 1003],
    ['an empty message', frame(BINARY, new Uint8Array(0)), 1008],
    ['the announcement of 65,536 bytes', frame(BINARY, new Uint8Array(0), 65_536), 1009],
    ['the announcement of 4 GiB', frame(BINARY, new Uint8Array(0), 0xffff_ffff), 1009],
    ['a frame that is not masked', Uint8Array.of(BINARY, 1, 7), 1002],
    ['an unknown opcode', frame(0x83, FIRST), 1002],
    ['a compressed message', frame(0xc2, FIRST), 1002],
  ])('closes with a status on a stranger whose first message is %s', async (_what, bytes, status) => {
    const { endpoint } = await listen(() => expect.unreachable());
    const { socket, got, ended } = await upgraded(endpoint);
    const before = got().length;
    socket.write(bytes);
    await ended;
    // RFC 6455 §5.5.1: a close frame, unmasked, and what it says.
    expect([...Buffer.from(got().slice(before), 'latin1')].slice(0, 4)).toEqual([0x88, 2, status >> 8, status & 255]);
  });

  test('tells whom its owner refuses nothing, until the handshake deadline', async () => {
    const { endpoint } = await listen((link) => link.close(new MatryoshkaError('session.busy')));
    const startMs = performance.now();
    const { socket, got, ended } = await upgraded(endpoint);
    const before = got().length;
    for (let i = 0; i < 10; i++) socket.write(frame(BINARY, FIRST));
    await ended;
    expect(performance.now() - startMs).toBeGreaterThan(150);
    expect(got().length).toBe(before);
  });

  test('says nothing to an address that is denied, not even by HTTP, until the handshake deadline', async () => {
    const admission = new AddressAdmission(systemClock, { ...DEFAULT_ADMISSION_SETTINGS, deny: ['127.0.0.0/8'] });
    const on = websocket({ ...LISTENING, maxUnanswered: 2 })({ clock: systemClock, admission });
    const listener = await on.listen!(ANY_PORT, () => expect.unreachable());
    cleanups.push(() => listener.close());
    const startMs = performance.now();
    const { socket, got, ended } = await stranger(listener.endpoint);
    socket.write(upgradeRequest());
    expect(await ended).toBe('end');
    expect(got()).toBe('');
    expect(performance.now() - startMs).toBeGreaterThan(150);
    const many = await Promise.all(Array.from({ length: 5 }, () => stranger(listener.endpoint)));
    await expect.poll(() => many.filter((one) => one.socket.readyState === 'open').length, { interval: 5 }).toBe(2);
  });

  test('closes the oldest of those that were not answered when there are too many', async () => {
    // Its time stands still, so no deadline ends anybody.
    const { endpoint } = await listen(() => {}, { clock: new StandingClock() });
    const waiting = [await stranger(endpoint), await upgraded(endpoint), await upgraded(endpoint)];
    waiting[2]?.socket.write(frame(BINARY, FIRST));
    await sleep(20);
    const newest = await stranger(endpoint);
    await waiting[0]?.ended;
    expect([...waiting.slice(1), newest].map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open']);
  });

  test('does not count links that were answered, nor requests that are over', async () => {
    const links: Link[] = [];
    const { endpoint } = await listen((link) => {
      link.send([FIRST]);
      links.push(link);
    });
    for (let i = 0; i < 6; i++) {
      const { socket, ended } = await stranger(endpoint);
      socket.end(upgradeRequest({ path: '/' }));
      await ended;
      const link = await transport.dial(endpoint, FIRST, {});
      const owner = new Recorder();
      link.attach(owner);
      await owner.until(() => owner.messages.length === 1);
      links.push(link);
    }
    for (const link of links) link.close();
  });
});

describe('an accepted link', () => {
  /** A link, its owner, and the stranger behind it, who has sent one message. */
  async function accepted(): Promise<{ link: Link; owner: Recorder; socket: Socket; got: () => string; ended: Promise<string> }> {
    const { accept, link, owner } = acceptance();
    const { endpoint } = await listen(accept);
    const it = await upgraded(endpoint);
    it.socket.write(frame(BINARY, FIRST));
    return { link: await link, owner, ...it };
  }

  test('takes messages in fragments', async () => {
    const { owner, socket } = await accepted();
    socket.write(frame(BINARY_TO_BE_CONTINUED, Uint8Array.of(1)));
    socket.write(frame(PING, FIRST));
    socket.write(frame(CONTINUED, Uint8Array.of(2)));
    socket.write(frame(0x80, Uint8Array.of(3)));
    await owner.until(() => owner.messages.length === 1);
    expect([...(owner.messages[0] as Uint8Array)]).toEqual([1, 2, 3]);
  });

  test.each([
    ['text', [frame(TEXT, FIRST)], 'transport.protocol'],
    ['an empty message', [frame(BINARY, new Uint8Array(0))], 'transport.frame-length'],
    ['too much', [frame(BINARY, new Uint8Array(0), 65_536)], 'transport.frame-length'],
    [
      'fragments of too much',
      [frame(BINARY_TO_BE_CONTINUED, new Uint8Array(40_000)), frame(0x80, new Uint8Array(40_000))],
      'transport.frame-length',
    ],
    [
      'too many fragments',
      Array.from({ length: 300 }, (_, i) => frame(i === 0 ? BINARY_TO_BE_CONTINUED : CONTINUED, FIRST)),
      'transport.protocol',
    ],
    [
      'empty fragments without end',
      Array.from({ length: 300 }, (_, i) => frame(i === 0 ? BINARY_TO_BE_CONTINUED : CONTINUED, new Uint8Array(0))),
      'transport.protocol',
    ],
    ['a continuation of nothing', [frame(0x80, FIRST)], 'transport.protocol'],
    ['a ping that is too long', [frame(PING, new Uint8Array(126))], 'transport.protocol'],
    ['a frame that is not masked', [Uint8Array.of(BINARY, 1, 7)], 'transport.protocol'],
  ])('ends where the other side sends %s', async (_what, frames, code) => {
    const { owner, socket } = await accepted();
    for (const bytes of frames) socket.write(bytes);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe(code);
    expect(owner.messages).toEqual([]);
  });

  test('answers pings, but not without bound one who does not read', async () => {
    const { owner, socket, got } = await accepted();
    const before = got().length;
    socket.write(frame(PING, FIRST));
    await once(socket, 'data');
    expect(got().slice(before)).toBe('\x8a\x03\x01\x02\x03');
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(PING, new Uint8Array(125))));
    for (let i = 0; i < 2000 && owner.reasons.length === 0; i++) {
      socket.write(pings);
      await sleep(0);
    }
    expect(owner.reasons[0]?.code).toBe('transport.closed');
  });

  test('ends where the connection ends without a close', async () => {
    const { owner, socket } = await accepted();
    socket.end(frame(BINARY, Uint8Array.of(7)));
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages.map((message) => [...message])).toEqual([[7]]);
    expect(owner.reasons[0]).toMatchObject({ code: 'transport.closed', message: 'the connection closed' });
  });

  test('goes as a close with status 1000, after what was sent', async () => {
    const { link, socket, got } = await accepted();
    const before = got().length;
    link.send([FIRST]);
    link.close(new MatryoshkaError('shutdown'));
    while (got().length < before + 9) await once(socket, 'data');
    expect([...Buffer.from(got().slice(before), 'latin1')]).toEqual([0x82, 3, 1, 2, 3, 0x88, 2, 0x03, 0xe8]);
  });
});
