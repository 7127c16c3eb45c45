import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { tcp } from '@matryoshka/transport/tcp';
import { afterEach, expect, test } from 'vitest';
import { type MatryoshkaNode, createNode } from '../src/index.ts';
import { echo, intact, serveEcho } from './network.ts';

// What is seen of a transfer by whoever counts the bytes on every cable of its path, over real sockets (docs/protocol.md §4.5).

/** A record of 4,096 bytes and the length before it. */
const FRAME = 4098;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A cable to a node, with somebody at it who counts what goes each way. */
class Cable {
  readonly forward: number[] = [];
  readonly backward: number[] = [];
  #changedAt = 0;
  readonly #server: Server;

  constructor(host: string, to: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => {
      const far = connect(to);
      this.#carry(near, far, this.forward);
      this.#carry(far, near, this.backward);
    }).listen(0, host);
    cleanups.push(() => this.#server.close());
  }

  /** `host:port` where it is plugged in. */
  async place(): Promise<string> {
    if (!this.#server.listening) await once(this.#server, 'listening');
    const { address, port } = this.#server.address() as { address: string; port: number };
    return `${address}:${port}`;
  }

  /** Bytes that went each way so far, at a moment when nothing was on its way. */
  async counts(): Promise<readonly [number, number]> {
    while (performance.now() - this.#changedAt < 40) await sleep(10);
    return [sum(this.forward), sum(this.backward)];
  }

  #carry(from: Socket, to: Socket, seen: number[]): void {
    from.on('data', (chunk) => {
      this.#changedAt = performance.now();
      seen.push(chunk.length);
      to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
    cleanups.push(() => from.destroy());
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A, B, C and D, each in a network of its own, a cable before each of the last three. */
async function threeHops(
  traffic: 'plain' | 'standard' | 'private',
): Promise<{ a: MatryoshkaNode; to: string; gateway: string; cables: Cable[] }> {
  const nodes = await Promise.all(
    [1, 2, 3, 4].map((i) => {
      const host = `127.${i * 11}.0.1`;
      const relay = { enabled: true, allowDial: ['loopback' as const] };
      return createNode({ transports: [tcp({ localAddress: host })], listen: [`${host}:0`], traffic, relay });
    }),
  );
  for (const node of nodes) cleanups.push(() => node.close());
  const cables = nodes.slice(1).map((node, i) => {
    const [at] = node.listening;
    return new Cable(`127.${(i + 2) * 11}.0.2`, { host: at?.host as string, port: at?.port as number });
  });
  const places = await Promise.all(cables.map(async (cable, i) => `${nodes[i + 1]?.peerId}@${await cable.place()}`));
  const [a, b, , d] = nodes as [MatryoshkaNode, MatryoshkaNode, MatryoshkaNode, MatryoshkaNode];
  serveEcho(d);
  const [gateway, neighbour, to] = places as [string, string, string];
  const candidate = await b.connect(neighbour);
  while (candidate.relaying !== true) await sleep(5);
  return { a, to, gateway, cables };
}

test.each(['plain', 'standard', 'private'] as const)(
  '%s: a transfer over three hops arrives, and shows what it is said to show',
  async (traffic) => {
    const { a, to, gateway, cables } = await threeHops(traffic);
    const connection = await a.connect(to, { hops: 3, gateway });
    expect([connection.kind, connection.traffic.preset]).toEqual(['relayed', traffic]);
    const seen = async (): Promise<readonly number[]> => (await Promise.all(cables.map((cable) => cable.counts()))).flat();
    await echo(connection, 1);
    let before = await seen();
    const steps: number[] = [];
    for (const length of [1, 500, 300_000, 77]) {
      expect(intact(await echo(connection, length))).toBe(true);
      const after = await seen();
      steps.push(...after.map((count, i) => count - (before[i] as number)));
      before = after;
    }
    // Everything went over all three cables, there and back.
    expect(Math.min(...steps.slice(12, 18))).toBeGreaterThan(300_000);
    const whole = steps.filter((step) => step > 0 && step % FRAME === 0).length;
    if (traffic === 'private') expect(whole).toBe(steps.length);
    else expect(whole).toBeLessThan(3);
  },
);
