import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { afterEach, expect, test } from 'vitest';
import { type Connection, type MatryoshkaNode, createNode } from '../src/index.ts';
import { echo, intact, serveEcho } from './network.ts';

// Real sockets, and a gate in front of each of Bob's two listeners.

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Passes connections on to a port while it is open. */
class Gate {
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Where it is. */
  port = 0;

  constructor(to: number) {
    this.#to = to;
    cleanups.push(() => this.close());
  }

  async open(): Promise<this> {
    this.#server = createServer((near) => {
      const far = connect(this.#to, '127.0.0.1');
      for (const [from, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {}).on('close', () => other.destroy());
      }
      near.pipe(far).pipe(near);
    }).listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  /** Whoever is inside is thrown out, and whoever comes is turned away. */
  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

async function start(options: Partial<Parameters<typeof createNode>[0]>): Promise<MatryoshkaNode> {
  const node = await createNode({ transports: [tcp(), websocket()], ...options });
  cleanups.push(() => node.close());
  return node;
}

test('a session resumes from TCP to WebSocket and back, and its streams notice nothing', async () => {
  const bob = await start({ listen: ['127.0.0.1:0', 'ws://127.0.0.1:0'] });
  serveEcho(bob);
  const [raw, web] = await Promise.all(bob.listening.map(({ port }) => new Gate(port).open()));
  if (raw === undefined || web === undefined) throw new RangeError('it listens twice');
  const alice = await start({ peers: [`${bob.peerId}@127.0.0.1:${raw.port}`, `${bob.peerId}@ws://127.0.0.1:${web.port}`] });

  web.close();
  const connection: Connection = await alice.connect(bob.peerId);
  const ways = [connection.remote.transport];
  for (const [closed, opened] of [
    [raw, web],
    [web, raw],
  ] as const) {
    const resumed = new Promise<Connection>((resolve) => {
      const stop = alice.on('resumed', (event) => {
        stop();
        resolve(event.connection);
      });
    });
    const underway = echo(connection, 2_000_000);
    await opened.open();
    closed.close();
    ways.push((await resumed).remote.transport);
    expect(intact(await underway)).toBe(true);
  }
  expect(ways).toEqual(['tcp', 'ws', 'tcp']);
  expect([alice.connections, bob.connections].map((connections) => connections.length)).toEqual([1, 1]);
});
