import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { InitiatorHandshake, networkKeyPsk, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type Link, systemClock } from '@matryoshka/transport';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { afterEach, describe, expect, test } from 'vitest';
import { type MatryoshkaNode, type NodeOptions, createNode, formatEndpoint } from '../src/index.ts';
import { echo, intact, serveEcho } from './network.ts';

// Real sockets. 127.11.0.x is the attackers' network, 127.22.0.x that of honest ones.

const ATTACKER = '127.11.0.1';
const HONEST = '127.22.0.1';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

async function start(host: string, options: Partial<NodeOptions> = {}): Promise<MatryoshkaNode> {
  const node = await createNode({
    transports: [
      tcp({ localAddress: host, maxUnanswered: 32, handshakeTimeoutMs: 2000 }),
      websocket({ localAddress: host, maxUnanswered: 32 }),
    ],
    listen: [`${host}:0`, `ws://${host}:0`],
    ...options,
  });
  serveEcho(node);
  cleanups.push(() => node.close());
  return node;
}

function place(node: MatryoshkaNode, transport: 'tcp' | 'ws'): { readonly host: string; readonly port: number } {
  const endpoint = node.listening.find((each) => each.transport === transport);
  if (endpoint === undefined) throw new RangeError(`it does not listen on ${transport}`);
  return endpoint;
}

/** Sockets that connect and say nothing; those that are closed on them are counted. */
function strangers(to: { readonly host: string; readonly port: number }, count: number): { readonly sockets: Socket[]; closed(): number } {
  const sockets = Array.from({ length: count }, () => connect({ ...to, localAddress: ATTACKER }).on('error', () => {}));
  cleanups.push(() => sockets.forEach((socket) => socket.destroy()));
  return { sockets, closed: () => sockets.filter((socket) => socket.closed).length };
}

/** Whether an honest node gets in, and is served, within a time that no deadline of strangers has run out in. */
async function served(from: MatryoshkaNode, to: MatryoshkaNode, transport: 'tcp' | 'ws' = 'tcp'): Promise<boolean> {
  const endpoint = to.listening.find((each) => each.transport === transport);
  if (endpoint === undefined) return false;
  const connection = await from.connect(`${to.peerId}@${formatEndpoint(endpoint)}`, { anonymous: true, signal: AbortSignal.timeout(1500) });
  return intact(await echo(connection, 50_000));
}

describe('strangers from one network', () => {
  test.each(['tcp', 'ws'] as const)('that connect by the thousand and say nothing keep nobody out: %s', async (transport) => {
    // Even if they may come as often as they like.
    const node = await start('127.33.0.1', { access: { attemptsPerSecond: 0, attemptBurst: 0, maxConnectionsPerNetwork: 1_000_000 } });
    const honest = await start(HONEST);
    strangers(place(node, transport), 2000);
    // The system itself drops some that come faster than they are accepted.
    await expect.poll(() => node.access().refusals.unanswered, { timeout: 5000 }).toBeGreaterThan(1000);
    await expect(served(honest, node, transport)).resolves.toBe(true);
    expect(node.access().openConnections).toBeLessThanOrEqual(33);
  });

  test('meet the rate of their network first, and the bound of their connections', async () => {
    const node = await start('127.33.0.1', { access: { maxConnectionsPerNetwork: 20 } });
    const honest = await start(HONEST);
    const { closed } = strangers(place(node, 'tcp'), 1000);
    await expect.poll(closed, { timeout: 5000 }).toBeGreaterThanOrEqual(980);
    await expect(served(honest, node)).resolves.toBe(true);
    const { openConnections, refusals } = node.access();
    expect(refusals.attempts).toBeGreaterThan(800);
    expect(refusals['network-connections']).toBeGreaterThan(50);
    expect(openConnections).toBeLessThanOrEqual(21);
  });

  test('that send a byte now and then are gone after the handshake deadline, whatever they send', async () => {
    const node = await start('127.33.0.1');
    const { sockets, closed } = strangers(place(node, 'tcp'), 20);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const slowly = setInterval(() => sockets.forEach((socket) => socket.write(Uint8Array.of(1))), 500);
    cleanups.push(() => clearInterval(slowly));
    await expect.poll(closed, { timeout: 5000 }).toBe(20);
    await expect.poll(() => node.access().openConnections).toBe(0);
  });

  test('that begin handshakes and never go on keep nobody out', async () => {
    const node = await start('127.33.0.1', { maxHandshakes: 8, access: { attemptsPerSecond: 0, attemptBurst: 0 } });
    const honest = await start(HONEST);
    const provider = portableProvider;
    const random = seededRandom(1);
    const transport = tcp({ localAddress: ATTACKER })({ clock: systemClock, random, provider });
    const psk = networkKeyPsk(provider);
    const hour = Math.floor(Date.now() / 3_600_000);
    const endpoint = node.listening[0];
    if (endpoint === undefined) throw new RangeError('it does not listen');
    const links: Link[] = [];
    const dials = Array.from({ length: 100 }, async () => {
      const request = new InitiatorHandshake({ provider, random, suite: 'chacha20poly1305', pattern: 'XX', psk, hour }).request();
      links.push(await transport.dial(endpoint, request, {}));
    });
    cleanups.push(() => links.forEach((link) => link.close()));
    const meanwhile = served(honest, node);
    await Promise.all(dials);
    await expect(meanwhile).resolves.toBe(true);
    await expect(served(honest, node)).resolves.toBe(true);
    expect(node.access().refusals.handshakes).toBeGreaterThan(80);
  });
});

describe('addresses', () => {
  test('that are denied hear nothing, like any stranger, and are closed at the handshake deadline; changed, let in', async () => {
    const node = await start('127.33.0.1', { access: { deny: ['127.11.0.0/16'] } });
    const startMs = performance.now();
    const { closed } = strangers(place(node, 'tcp'), 10);
    await expect.poll(() => node.access().refusals.address).toBe(10);
    expect([closed(), node.access().openConnections]).toEqual([0, 0]);
    await expect.poll(closed, { timeout: 5000 }).toBe(10);
    expect(performance.now() - startMs).toBeGreaterThan(1900);
    node.updateAccess({ deny: [] });
    await expect(served(await start(ATTACKER), node)).resolves.toBe(true);
  });

  test('connections that reset at once leave nothing behind', async () => {
    const node = await start('127.33.0.1');
    const { sockets } = strangers(place(node, 'tcp'), 60);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.resetAndDestroy();
    await expect.poll(() => node.access().openConnections).toBe(0);
  });
});
