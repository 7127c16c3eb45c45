import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InitiatorHandshake, type Random, networkKeyPsk, portableProvider } from '@matryoshka/session';
import { FramingContext, StreamFraming } from '@matryoshka/transport';
import { tcp } from '@matryoshka/transport/tcp';
import { afterEach, describe, expect, test } from 'vitest';
import { type MatryoshkaNode, type NodeOptions, createNode } from '../src/index.ts';
import { serveEcho } from './network.ts';

// What somebody sees who holds the cable between two nodes, over real sockets (docs/protocol.md §2).

const NETWORK_KEY = new Uint8Array(16).fill(5);
const random: Random = { fill: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>) };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Partial<NodeOptions> = {}): Promise<MatryoshkaNode> {
  const node = await createNode({ transports: [tcp()], networkKey: NETWORK_KEY, ...options });
  cleanups.push(() => node.close());
  return node;
}

// What chance exceeds once in 100 million times: of 80 sizes against 80, of 256 values, of 16.
const DISTANCE_BY_CHANCE = 0.49;
const CHI_SQUARE_256_BY_CHANCE = 410;
const CHI_SQUARE_16_BY_CHANCE = 72;

/** Kolmogorov–Smirnov: the largest distance of two distributions, from 0 to 1. */
function distance(a: readonly number[], b: readonly number[]): number {
  const share = (values: readonly number[], upTo: number): number => values.filter((value) => value <= upTo).length / values.length;
  return Math.max(...[...a, ...b].map((value) => Math.abs(share(a, value) - share(b, value))));
}

/** About the number of values less one, if each is as likely. */
function chiSquare(samples: readonly number[], values: number): number {
  const counts = new Uint32Array(values);
  for (const sample of samples) counts[sample]! += 1;
  const expected = samples.length / values;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** What went one way until something went the other way. */
interface Flight {
  readonly forward: boolean;
  length: number;
  /** Its first bytes. */
  readonly head: Uint8Array;
}

/** A cable between a dialler and a node, with somebody at it who counts, and may cut. */
class Cable {
  readonly connections: Flight[][] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, change: (chunk: Uint8Array, forward: boolean) => void = () => {}) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      const flights: Flight[] = [];
      this.connections.push(flights);
      this.#carry(near, far, flights, true, change);
      this.#carry(far, near, flights, false, change);
    }).listen(0, '127.0.0.1');
    cleanups.push(() => {
      this.cut();
      this.#server.close();
    });
  }

  async port(): Promise<number> {
    if (!this.#server.listening) await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, to: Socket, flights: Flight[], forward: boolean, change: (chunk: Uint8Array, forward: boolean) => void): void {
    this.#sockets.add(from);
    from
      .setNoDelay(true)
      .on('data', (chunk: Uint8Array) => {
        const last = flights.at(-1);
        if (last?.forward === forward) last.length += chunk.length;
        else flights.push({ forward, length: chunk.length, head: chunk.slice(0, 32) });
        change(chunk, forward);
        to.write(chunk);
      })
      .on('end', () => to.end())
      .on('error', () => {})
      .on('close', () => this.#sockets.delete(from));
  }
}

async function wired(
  options: Partial<NodeOptions> = {},
): Promise<{ alice: MatryoshkaNode; bob: MatryoshkaNode; cable: Cable; to: string }> {
  const bob = await start({ listen: ['127.0.0.1:0'], ...options });
  const alice = await start();
  const cable = new Cable(bob.listening[0]?.port as number);
  return { alice, bob, cable, to: `${bob.peerId}@127.0.0.1:${await cable.port()}` };
}

/** Waits until so many flights of the newest connection were seen. */
async function flightsOf(cable: Cable, connection: number, count: number): Promise<Flight[]> {
  while ((cable.connections[connection]?.length ?? 0) < count) await sleep(1);
  return (cable.connections[connection] as Flight[]).slice(0, count);
}

describe('somebody at the cable', () => {
  test('cannot tell a resume from a new connection by the flights of its handshake, nor the first after it', async () => {
    const ROUNDS = 80;
    const { alice, cable, to } = await wired({ access: { exempt: ['127.0.0.0/8'] } });
    const seen: Record<'opened' | 'resumed', Flight[][]> = { opened: [], resumed: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const connection = await alice.connect(to);
      seen.opened.push(await flightsOf(cable, 2 * round, 4));
      const resumed = new Promise<void>((resolve) => {
        const stop = alice.on('resumed', () => {
          stop();
          resolve();
        });
      });
      cable.cut();
      await resumed;
      seen.resumed.push(await flightsOf(cable, 2 * round + 1, 4));
      await connection.close();
    }
    for (const kind of ['opened', 'resumed'] as const) {
      const lengths = [0, 1, 2, 3].map((index) => seen[kind].map((flights) => (flights[index] as Flight).length));
      // docs/protocol.md §2.1: nonce, length, true length, message, padding, tag; behind the opening the initiator's hello, padded to 64 bytes.
      const spread = lengths.map((of) => [Math.min(...of), Math.max(...of)] as [number, number]);
      for (const [index, shortest] of [1316, 1380, 404 + 82].entries()) {
        const [min, max] = spread[index] as [number, number];
        expect(min).toBeGreaterThanOrEqual(shortest);
        expect(max).toBeLessThan(shortest + 2048);
        expect(max - min).toBeGreaterThan(1000);
      }
      // The responder's hello and an acknowledgement: the same each time.
      expect(new Set(lengths[3])).toEqual(new Set([(seen.opened[0] as Flight[])[3]?.length]));
    }
    // Neither size of a flight is of one kind more than of the other.
    for (const index of [0, 1, 2]) {
      const sizes = (kind: 'opened' | 'resumed'): number[] => seen[kind].map((flights) => (flights[index] as Flight).length);
      expect(distance(sizes('opened'), sizes('resumed'))).toBeLessThan(DISTANCE_BY_CHANCE);
    }
    // Any byte is as likely as any other, in both kinds, all flights, and at any position.
    const heads = (kind: 'opened' | 'resumed'): Uint8Array[] => seen[kind].flatMap((flights) => flights.map(({ head }) => head));
    for (const kind of ['opened', 'resumed'] as const) {
      expect(
        chiSquare(
          heads(kind).flatMap((head) => [...head]),
          256,
        ),
      ).toBeLessThan(CHI_SQUARE_256_BY_CHANCE);
      for (let at = 0; at < 32; at++) {
        const nibbles = heads(kind).map((head) => (head[at] as number) >> 4);
        expect(chiSquare(nibbles, 16)).toBeLessThan(CHI_SQUARE_16_BY_CHANCE);
      }
    }
    // Nothing that both have in common, or that any two have.
    const all = [...seen.opened, ...seen.resumed].flatMap((flights) => flights.map(({ head }) => Buffer.from(head).toString('latin1')));
    const parts = all.flatMap((head) => [head.slice(0, 8), head.slice(8, 16), head.slice(16, 24), head.slice(24, 32)]);
    expect(new Set(parts).size).toBe(2 * ROUNDS * 4 * 4);
  });

  test('who changes any byte of a session ends the link, and the session goes on over the next one', async () => {
    const bob = await start({ listen: ['127.0.0.1:0'] });
    const alice = await start();
    serveEcho(bob);
    let at = -1;
    let passed = 0;
    const cable = new Cable(bob.listening[0]?.port as number, (chunk, forward) => {
      if (!forward) return;
      if (at >= passed && at < passed + chunk.length) {
        chunk[at - passed] = (chunk[at - passed] as number) ^ 1;
        at = -1;
      }
      passed += chunk.length;
    });
    const connection = await alice.connect(`${bob.peerId}@127.0.0.1:${await cable.port()}`);
    const stream = await connection.openStream('/echo/1');
    const SIZE = 300_000;
    const sent = Uint8Array.from({ length: SIZE }, (_, i) => i * 7 + (i >> 9));
    const got: Uint8Array[] = [];
    const ended = new Promise<void>((resolve) =>
      stream.attach({ data: (bytes) => void got.push(bytes.slice()), end: resolve, writable: pump }),
    );
    let offset = 0;
    // One byte in the middle of what is on its way: a length, or some of a record.
    at = passed + 100_001;
    function pump(): void {
      while (offset < SIZE) {
        const chunk = sent.subarray(offset, offset + 20_000);
        offset += chunk.length;
        if (!stream.write(chunk)) return;
      }
      stream.end();
    }
    pump();
    await ended;
    expect(Buffer.compare(Buffer.concat(got), sent)).toBe(0);
    expect(cable.connections.length).toBeGreaterThan(1);
  });
});

describe('a node with a network key', () => {
  const limits = { handshakeTimeoutMs: 300, transports: [tcp({ handshakeTimeoutMs: 300 })] };

  test.each([
    ['another one', new Uint8Array(16).fill(6)],
    ['none', undefined],
  ])('gives no answer to a node that has %s, which learns the usual causes', async (_what, networkKey) => {
    const bob = await start({ listen: ['127.0.0.1:0'], ...limits });
    const mallory = await createNode({ transports: [tcp()], ...(networkKey && { networkKey }) });
    cleanups.push(() => mallory.close());
    const startMs = performance.now();
    await expect(mallory.connect(`${bob.peerId}@127.0.0.1:${bob.listening[0]?.port}`)).rejects.toMatchObject({
      code: 'session.handshake-no-answer',
      message: expect.stringContaining('another network key'),
    });
    expect(performance.now() - startMs).toBeGreaterThan(280);
  });

  test('ends a handshake whose opening does not come, or does not come whole, without a word', async () => {
    const bob = await start({ listen: ['127.0.0.1:0'], ...limits });
    const psk = networkKeyPsk(portableProvider, NETWORK_KEY);
    for (const pieces of [[], [3], [3, 40, 5]]) {
      const framing = new StreamFraming(new FramingContext({ provider: portableProvider, random, networkKey: NETWORK_KEY }), 'dialling');
      const hour = Math.floor(Date.now() / 3_600_000);
      const handshake = new InitiatorHandshake({ provider: portableProvider, random, suite: 'chacha20poly1305', pattern: 'XX', psk, hour });
      const socket = connect(bob.listening[0]?.port as number, '127.0.0.1');
      cleanups.push(() => socket.destroy());
      const messages: Uint8Array[] = [];
      let bytes = 0;
      const ended = new Promise<string>((resolve) => {
        socket
          .on('data', (chunk: Uint8Array) => {
            bytes += chunk.length;
            framing.feed(chunk);
            for (let message = framing.next(); message !== undefined; message = framing.next()) messages.push(message.slice());
          })
          .on('end', () => resolve('end'))
          .on('error', (error) => resolve(error.message));
      });
      const request = handshake.request();
      const startMs = performance.now();
      socket.write(framing.veil([request], request.length));
      while (messages.length === 0) await sleep(1);
      handshake.answer(messages[0] as Uint8Array);
      const answered = bytes;
      const opening = new Uint8Array(384);
      handshake.opening(opening);
      const veiled = framing.veil([opening], opening.length);
      let at = 0;
      for (const length of pieces) {
        socket.write(veiled.subarray(at, (at += length)));
        await sleep(60);
      }
      expect(await ended).toBe('end');
      expect(performance.now() - startMs).toBeGreaterThan(280);
      expect(performance.now() - startMs).toBeLessThan(1000);
      expect(bytes).toBe(answered);
      expect(socket.writableLength).toBe(0);
    }
  });
});
