import { once } from 'node:events';
import { connect } from 'node:net';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { afterEach, describe, expect, test } from 'vitest';
import { type Connection, type MatryoshkaNode, createNode, formatEndpoint } from '../src/index.ts';
import { echo, intact, serveEcho } from './network.ts';

// Real sockets: each node has a loopback address in a network of its own.

const nodes: MatryoshkaNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

type Way = 'tcp' | 'ws';

/** A node that listens on `host` in the named ways, relays, and serves an echo. */
async function start(host: string, ...ways: readonly Way[]): Promise<MatryoshkaNode> {
  const node = await createNode({
    transports: [tcp({ localAddress: host }), websocket({ localAddress: host, handshakeTimeoutMs: 1000 })],
    listen: ways.map((way) => `${way}://${host}:0`),
    relay: { enabled: true, allowDial: ['loopback'] },
  });
  serveEcho(node);
  nodes.push(node);
  return node;
}

function address(node: MatryoshkaNode, way: Way): string {
  const endpoint = node.listening.find(({ transport }) => transport === way);
  if (endpoint === undefined) throw new RangeError(`it does not listen on ${way}`);
  return `${node.peerId}@${formatEndpoint(endpoint)}`;
}

/** Resolves once `from` knows that it may relay through `to`. */
async function relays(from: MatryoshkaNode, to: MatryoshkaNode): Promise<void> {
  await expect.poll(() => from.connections.find(({ peerId }) => peerId === to.peerId)?.relaying).toBe(true);
}

async function works(connection: Connection): Promise<void> {
  expect(intact(await echo(connection, 1_000_000))).toBe(true);
}

describe('a node over WebSockets', () => {
  test('connects directly, and both sides know where the other one is', async () => {
    const a = await start('127.41.0.1');
    const b = await start('127.42.0.1', 'ws');
    const accepted = Promise.withResolvers<Connection>();
    b.on('connection', accepted.resolve);
    const connection = await a.connect(address(b, 'ws'));
    expect(connection).toMatchObject({ kind: 'direct', authenticated: true, peerId: b.peerId, remote: b.listening[0] });
    expect(connection.local).toMatchObject({ transport: 'ws', host: '127.41.0.1' });
    await works(connection);
    expect((await accepted.promise).remote).toEqual(connection.local);
    await connection.close();
    expect((await (await accepted.promise).closed).code).toBe('closed');
  });

  test('connects through relays that a WebSocket and a TCP connection lead to', async () => {
    const a = await start('127.41.0.1');
    const b = await start('127.42.0.1', 'ws');
    const c = await start('127.43.0.1', 'tcp');
    const d = await start('127.44.0.1', 'ws', 'tcp');
    await a.connect(address(b, 'ws'));
    await b.connect(address(c, 'tcp'));
    await relays(a, b);
    await relays(b, c);
    for (const way of ['ws', 'tcp'] as const) {
      const connection = await a.connect(address(d, way), { hops: 3 });
      expect(connection).toMatchObject({ kind: 'relayed', authenticated: true, peerId: d.peerId, nesting: 1 });
      // The last relay dialled what it was asked to.
      expect(c.connections.some(({ peerId, remote }) => peerId === d.peerId && remote.transport === way)).toBe(true);
      await works(connection);
      await connection.close();
      for (const direct of c.connections.filter(({ peerId }) => peerId === d.peerId)) await direct.close();
    }
  });

  test('telescopes over WebSockets and TCP', async () => {
    const a = await start('127.41.0.1');
    const b = await start('127.42.0.1', 'ws');
    const c = await start('127.43.0.1', 'tcp');
    const d = await start('127.44.0.1', 'ws');
    const connection = await a.connect(address(d, 'ws'), { path: [address(b, 'ws'), address(c, 'tcp')] });
    expect(connection).toMatchObject({ kind: 'telescoped', authenticated: true, peerId: d.peerId, nesting: 2 });
    await works(connection);
  });

  test('does not dial loopback addresses for others unless it is allowed to, whatever the transport', async () => {
    const a = await start('127.41.0.1');
    const b = await createNode({ transports: [tcp(), websocket()], listen: ['ws://127.42.0.1:0'], relay: { enabled: true } });
    nodes.push(b);
    const d = await start('127.44.0.1', 'ws');
    await a.connect(address(b, 'ws'));
    await relays(a, b);
    await expect(a.connect(address(d, 'ws'), { hops: 2 })).rejects.toMatchObject({ code: 'relay.destination-forbidden' });
  });

  test('survives strangers of every kind', async () => {
    const a = await start('127.41.0.1');
    const b = await start('127.42.0.1', 'ws');
    const { host, port } = b.listening[0]!;
    const upgrade = [
      'GET /matryoshka HTTP/1.1',
      'Host: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: matryoshka',
      '\r\n',
    ].join('\r\n');
    const strangers = [
      '\x16\x03\x01garbage\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n',
      upgrade.slice(0, 40),
      upgrade,
      // Text; 4 GiB announced; a handshake message that is none.
      `${upgrade}\x81\x82\0\0\0\0hi`,
      `${upgrade}\x82\xff\0\0\0\x01\0\0\0\0\0\0\0\0`,
      `${upgrade}\x82\x83\0\0\0\0abc`,
    ];
    const ended = strangers.map(async (bytes) => {
      const socket = connect({ host, port });
      socket.on('error', () => {}).resume();
      socket.write(bytes, 'latin1');
      await once(socket, 'close');
    });
    // Meanwhile, and when the last of them is gone:
    await works(await a.connect(address(b, 'ws')));
    await Promise.all(ended);
    await works(await a.connect(address(b, 'ws'), { anonymous: true }));
    expect(b.connections).toHaveLength(2);
  });
});
