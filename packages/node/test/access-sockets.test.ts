import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { Session } from '@matryoshka/peer';
import { InitiatorHandshake, networkKeyPsk, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type Link, systemClock } from '@matryoshka/transport';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Endpoint, type MatryoshkaError, type MatryoshkaNode, type NodeOptions, createNode, formatEndpoint } from '../src/index.ts';
import { echo, intact, serveEcho } from './network.ts';

// Real sockets. 127.11.0.x is the attackers' network, 127.22.0.x that of honest ones.

const ATTACKER = '127.11.0.1';
const HONEST = '127.22.0.1';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

async function start(host: string, options: Partial<NodeOptions> = {}): Promise<MatryoshkaNode> {
  const node = await createNode({
    transports: [
      tcp({ localAddress: host, maxUnanswered: 32, handshakeTimeoutMs: 2000 }),
      websocket({ localAddress: host, maxUnanswered: 32, handshakeTimeoutMs: 2000 }),
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
    const [raw, web] = (['tcp', 'ws'] as const).map((transport) => strangers(place(node, transport), 20));
    const sockets = [...(raw?.sockets ?? []), ...(web?.sockets ?? [])];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const request = Buffer.from('GET /matryoshka HTTP/1.1');
    let at = 0;
    const slowly = setInterval(() => {
      for (const socket of sockets) socket.resume().write(request.subarray(at, at + 1));
      at++;
    }, 500);
    cleanups.push(() => clearInterval(slowly));
    await expect.poll(() => [raw?.closed(), web?.closed()], { timeout: 5000 }).toEqual([20, 20]);
    await expect.poll(() => node.access().openConnections).toBe(0);
  });

  test('that close their half of the connection, before or after they have said something, leave nothing behind', async () => {
    const node = await start('127.33.0.1');
    for (const transport of ['tcp', 'ws'] as const) {
      const { sockets } = strangers(place(node, transport), 20);
      for (const [i, socket] of sockets.entries()) socket.end(Buffer.alloc(i * 100, 0x41));
    }
    await expect.poll(() => node.access().openConnections).toBe(0);
    await expect(served(await start(HONEST), node)).resolves.toBe(true);
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

describe('neighbours', () => {
  test('R14 one that asks for more than it may is told so, and others are served meanwhile', async () => {
    const relay = { enabled: true, allowDial: ['loopback'] } as const;
    const access = { allowances: { unknown: { requestsPerSecond: 1, burst: 5 } } };
    const [b, d, greedy, honest] = [
      await start('127.33.0.1', { relay, access }),
      await start('127.44.0.1', { relay }),
      await start(ATTACKER),
      await start(HONEST),
    ];
    const relayed = async (from: MatryoshkaNode): Promise<string> => {
      const to = `${d.peerId}@${formatEndpoint(d.listening[0] as Endpoint)}`;
      const gateway = `${b.peerId}@${formatEndpoint(b.listening[0] as Endpoint)}`;
      return from.connect(to, { hops: 2, gateway }).then(
        () => 'connected',
        ({ code, message }: MatryoshkaError) => `${code}: ${message}`,
      );
    };
    const answers: string[] = [];
    for (let i = 0; i < 8; i++) answers.push(await relayed(greedy));
    expect(answers.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'connected'));
    expect(answers.at(-1)).toMatch(/^relay\.rate-limited: /);
    expect(await relayed(honest)).toBe('connected');
  });

  test('R14 one that sends what leads nowhere loses its reputation, then its session; others keep theirs', async () => {
    const b = await start('127.33.0.1', { relay: { enabled: true } });
    const to = `${b.peerId}@${formatEndpoint(b.listening[0] as Endpoint)}`;
    const openStream = vi.spyOn(Session.prototype, 'openStream');
    const bad = await (await start(ATTACKER)).connect(to);
    await echo(bad, 1000);
    const [session] = openStream.mock.contexts as Session[];
    const misbehave = (ports: number): void => {
      for (let i = 0; i < ports; i++) session?.send({ type: 'relay-data', port: nextPort++, more: false, bytes: Uint8Array.of(1) });
    };
    let nextPort = 1n;
    const good = await (await start(HONEST)).connect(to);
    misbehave(60);
    await expect.poll(() => b.access().reputations[0]?.score).toBeLessThan(45);
    expect(b.access().reputations).toHaveLength(1);
    misbehave(40);
    expect((await bad.closed).code).toBe('session.refused');
    expect(intact(await echo(good, 50_000))).toBe(true);
  });

  test('that are denied by their identity hear so; a hidden node is silent but to those who call it by its static key', async () => {
    const peers = await start(ATTACKER);
    const node = await start('127.33.0.1', { access: { denyPeers: [peers.peerId] } });
    const to = `${node.peerId}@${formatEndpoint(node.listening[0] as Endpoint)}`;
    expect((await (await peers.connect(to)).closed).code).toBe('session.refused');
    node.updateAccess({ denyPeers: [], hidden: true });
    const startMs = performance.now();
    await expect(peers.connect(to)).rejects.toMatchObject({ code: 'session.handshake-no-answer' });
    expect(performance.now() - startMs).toBeGreaterThan(1900);
    const friend = await peers.connect(to, { staticKey: node.staticKey });
    expect(intact(await echo(friend, 50_000))).toBe(true);
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
