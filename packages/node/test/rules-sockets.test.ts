import { setTimeout as delay } from 'node:timers/promises';
import { tcp } from '@matryoshka/transport/tcp';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Connection,
  type Endpoint,
  type MatryoshkaError,
  type MatryoshkaNode,
  type NodeOptions,
  type RelayLinkStatus,
  createNode,
  formatEndpoint,
  parseEndpoint,
} from '../src/index.ts';
import { echo, intact, sample, serveEcho } from './network.ts';

// The rules of relaying over real sockets, one by one; what each says in full is tested in simulated networks. R14 is in
// access-sockets.test.ts. Every node has a /16 of its own; those of the seed's example are in tooling/netlab.

const UNLIMITED = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };

let nextNetwork = 101;
const started: MatryoshkaNode[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.close()));
});

/** Starts a node that relays, and serves an echo. */
async function start(options: Partial<NodeOptions> = {}, host: string = `127.${nextNetwork++}.0.1`): Promise<MatryoshkaNode> {
  const node = await createNode({
    transports: [tcp({ localAddress: host })],
    listen: [`${host}:0`],
    ...options,
    access: { allowances: { unknown: UNLIMITED, relayed: UNLIMITED } },
    relay: { enabled: true, allowDial: ['loopback'], ...options.relay },
  });
  serveEcho(node);
  started.push(node);
  return node;
}

function startAll(count: number): Promise<MatryoshkaNode[]> {
  return Promise.all(Array.from({ length: count }, () => start()));
}

/** A, B, C and D, each a neighbour of the next one: over three hops there is one way from A to D. */
async function row(
  options: Partial<NodeOptions> = {},
): Promise<readonly [a: MatryoshkaNode, b: MatryoshkaNode, c: MatryoshkaNode, d: MatryoshkaNode]> {
  const [a, b, c, d] = [await start(options), await start(options), await start(options), await start(options)];
  await meet(a, b);
  await meet(b, c);
  return [a, b, c, d];
}

/** Connects neighbours; resolves when they know of each other whether they relay. */
async function meet(from: MatryoshkaNode, ...others: readonly MatryoshkaNode[]): Promise<void> {
  for (const to of others) {
    const connection = await from.connect(addressOf(to));
    const back = (): Connection | undefined => to.connections.find(({ peerId }) => peerId === from.peerId);
    await expect.poll(() => [connection.relaying, back()?.relaying].includes(undefined)).toBe(false);
  }
}

function placeOf(node: MatryoshkaNode): string {
  return formatEndpoint(node.listening[0] as Endpoint);
}

function addressOf(node: MatryoshkaNode): string {
  return `${node.peerId}@${placeOf(node)}`;
}

/** The relay link that a node forwards. */
function forwarded(node: MatryoshkaNode): RelayLinkStatus {
  const [link, ...more] = node.status().relayLinks.filter(({ state }) => state === 'open');
  if (link === undefined || more.length > 0) throw new RangeError('it does not forward one link');
  return link;
}

/** The newest connection that has come to a node over a relay link. */
async function arrived(node: MatryoshkaNode): Promise<Connection> {
  const find = (): Connection | undefined => node.connections.findLast(({ kind, role }) => kind === 'relayed' && role === 'responder');
  await expect.poll(find).toBeDefined();
  return find() as Connection;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'connected',
    ({ code }: MatryoshkaError) => code,
  );
}

describe('over real sockets', () => {
  test('R1 serving is off by default, and switched on and off while running', async () => {
    const [a, b, c, d] = await row({ resume: { graceMs: 300 } });
    const idle = await createNode({ transports: [tcp()] });
    expect(idle.relayEnabled).toBe(false);
    await idle.close();
    d.setRelayEnabled(false);
    expect(await codeOf(a.connect(addressOf(d), { hops: 3 }))).toBe('relay.disabled');
    d.setRelayEnabled(true);
    const connection = await a.connect(addressOf(d), { hops: 3 });
    expect(intact(await echo(connection, 10_000))).toBe(true);
    c.setRelayEnabled(false);
    expect((await connection.closed).code).toMatch(/^relay\./);
    expect(b.connections.every(({ open }) => open)).toBe(true);
  });

  test('R1 forward: false keeps being a destination', async () => {
    const [a, b] = (await startAll(2)) as [MatryoshkaNode, MatryoshkaNode];
    const c = await start({ relay: { forward: false } });
    await meet(a, b, c);
    expect(await codeOf(a.connect(addressOf(c), { hops: 2, gateway: b.peerId }))).toBe('connected');
    expect(await codeOf(a.connect(addressOf(b), { hops: 2, gateway: c.peerId }))).toBe('relay.disabled');
  });

  test('R2 hops are 1 to 15; with one, a second connection runs inside the first', async () => {
    const [a, b] = await row();
    const doubly = await a.connect(addressOf(b), { hops: 1 });
    expect(doubly).toMatchObject({ kind: 'relayed', nesting: 1, authenticated: true, peerId: b.peerId });
    expect(intact(await echo(doubly, 100_000))).toBe(true);
    for (const hops of [0, 16, 1.5]) expect(await codeOf(a.connect(addressOf(b), { hops }))).toBe('relay.hops-invalid');
  });

  test('R2 fifteen work', async () => {
    const nodes = await startAll(16);
    for (const [i, node] of nodes.entries()) if (i > 0) await meet(nodes[i - 1] as MatryoshkaNode, node);
    const connection = await (nodes[0] as MatryoshkaNode).connect(addressOf(nodes[15] as MatryoshkaNode), { hops: 15 });
    expect(intact(await echo(connection, 100_000))).toBe(true);
    expect(nodes.slice(1, 15).map((node) => forwarded(node).hopsLeft)).toEqual(Array.from({ length: 14 }, (_, i) => 14 - i));
  });

  test('R3 each asks the next one with a hop less, R12 and knows its neighbours and the destination', async () => {
    const [a, b, c, d] = await row();
    await a.connect(addressOf(d), { hops: 3 });
    const destination = addressOf(d);
    expect(forwarded(b)).toMatchObject({
      hopsLeft: 2,
      destination,
      previousHop: { peerId: a.peerId },
      nextHop: { peerId: c.peerId, endpoint: placeOf(c) },
    });
    expect(forwarded(c)).toMatchObject({
      hopsLeft: 1,
      destination,
      previousHop: { peerId: b.peerId },
      nextHop: { peerId: d.peerId, endpoint: placeOf(d) },
    });
    const known = JSON.stringify([c.status(), d.status().connections.filter(({ kind }) => kind === 'direct')]);
    expect([a.peerId, formatEndpoint(a.listening[0] as Endpoint)].filter((word) => known.includes(word))).toEqual([]);
  });

  test('R4, R5 the next hop is one of those outside of the networks of this node, the previous hop and the destination', async () => {
    const [a, b, d] = [await start({}, '127.66.45.90'), await start({}, '127.201.157.11'), await start({}, '127.180.30.20')];
    const near = [await start({}, '127.66.200.1'), await start({}, '127.201.9.9'), await start({}, '127.180.77.7')];
    const others = await startAll(3);
    await meet(a, b);
    await meet(b, ...near);
    expect(await codeOf(a.connect(addressOf(d), { hops: 3 }))).toBe('relay.no-peers-available');
    await meet(b, ...others);
    const chosen = new Set<string | undefined>();
    for (let draw = 0; draw < 24; draw++) {
      const connection = await a.connect(addressOf(d), { hops: 3 });
      chosen.add(forwarded(b).nextHop?.peerId);
      await connection.close();
      await expect.poll(() => b.status().relayLinks).toEqual([]);
    }
    expect(chosen).toEqual(new Set(others.map(({ peerId }) => peerId)));
  });

  test('R6 one relay port from end to end; per-hop, another one on every hop', async () => {
    const [a, b, c, d] = await row();
    const connection = await a.connect(addressOf(d), { hops: 3 });
    const port = String(connection.remote.relayPort);
    expect([forwarded(b).port, forwarded(c).port, String((await arrived(d)).remote.relayPort)]).toEqual([port, port, port]);
    const [e, f, g] = [await start(), await start({ relay: { relayPorts: 'per-hop' } }), await start({ relay: { relayPorts: 'per-hop' } })];
    await meet(e, f);
    await meet(f, g);
    const other = await e.connect(addressOf(d), { hops: 3 });
    const ports = [String(other.remote.relayPort), forwarded(g).port, String((await arrived(d)).remote.relayPort)];
    expect(new Set(ports).size).toBe(3);
    expect(intact(await echo(other, 100_000))).toBe(true);
  });

  test('R7 endpoints print as IP:port:relayPort, and parse back', async () => {
    const [a, b, , d] = await row();
    const { remote } = await a.connect(addressOf(d), { hops: 3 });
    const text = formatEndpoint(remote);
    expect(text).toBe(`${placeOf(d)}:${forwarded(b).port}`);
    expect(parseEndpoint(text)).toEqual(remote);
  });

  test('R8 who stops reading delays nobody else on the same connections', async () => {
    const [a, b, c, d] = await row();
    d.serve('/stop/1', (stream) => stream.pause());
    const [stopped, other] = [await a.connect(addressOf(d), { hops: 3 }), await a.connect(addressOf(d), { hops: 3 })];
    const stream = await stopped.openStream('/stop/1');
    const pump = (): void => {
      while (stream.write(sample(60_000)));
    };
    stream.attach({ writable: pump });
    pump();
    const startedMs = performance.now();
    expect(intact(await echo(other, 2_000_000))).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(stream.pendingBytes).toBeGreaterThan(0);
    for (const relay of [b, c]) expect(relay.connections.filter(({ kind }) => kind === 'direct').length).toBeLessThanOrEqual(2);
  });

  test('R9 the last hop uses the connection that there is, also one that is itself relayed, and makes one where there is none', async () => {
    const [a, b, c, d] = await row();
    // The seed's example, D-A-B-C: D asks A for C, and A is connected to C through B.
    const { kind } = await a.connect(addressOf(c), { hops: 2 });
    expect(kind).toBe('relayed');
    await meet(d, a);
    const connection = await d.connect(c.peerId, { hops: 2, gateway: a.peerId });
    expect(intact(await echo(connection, 100_000))).toBe(true);
    expect(forwarded(a).nextHop?.peerId).toBe(c.peerId);
    expect(a.connections.filter(({ peerId }) => peerId === c.peerId).map((each) => each.kind)).toEqual(['relayed']);
    // B has none to a stranger, and makes one.
    const stranger = await start();
    expect(await codeOf(a.connect(addressOf(stranger), { hops: 2, gateway: b.peerId }))).toBe('connected');
    expect(b.connections.filter(({ peerId }) => peerId === stranger.peerId).map((each) => each.kind)).toEqual(['direct']);
    const nobody = `${(await start()).peerId}@127.99.0.1:1`;
    expect(await codeOf(a.connect(nobody, { hops: 2, gateway: b.peerId }))).toBe('relay.destination-unreachable');
  });

  test('R9 who listens nowhere registers with a relay, and is reached there as peerId@relayPeerId', async () => {
    const [a, b, c] = await row();
    const n = await start({ listen: [], relay: { forward: false, registerWith: [addressOf(c)] } });
    await expect.poll(() => c.status().registeredPeers).toEqual([n.peerId]);
    const name = `${n.peerId}@${addressOf(c)}`;
    for (const hops of [2, 3]) {
      const connection = await a.connect(name, { hops });
      expect(intact(await echo(connection, 100_000))).toBe(true);
      expect(b.status().relayLinks.length).toBe(hops - 2);
      await connection.close();
    }
    const unknown = `${a.peerId}@${addressOf(c)}`;
    expect(await codeOf(n.connect(unknown, { hops: 2 }))).toBe('relay.destination-unreachable');
  });

  test('R10 the destination decides, in its own time', async () => {
    const [a, b] = (await startAll(2)) as [MatryoshkaNode, MatryoshkaNode];
    const asked: string[] = [];
    const d = await start({
      relay: {
        accept: async ({ previousHop, endpoint }) => {
          asked.push(`${previousHop}@${endpoint.host}`);
          await delay(50);
          return asked.length > 1;
        },
      },
    });
    await meet(a, b);
    const startedMs = performance.now();
    expect(await codeOf(a.connect(addressOf(d), { hops: 2 }))).toBe('relay.refused');
    expect(performance.now() - startedMs).toBeGreaterThan(45);
    expect(await codeOf(a.connect(addressOf(d), { hops: 2 }))).toBe('connected');
    const host = (b.listening[0] as Endpoint).host;
    expect(asked).toEqual([`${b.peerId}@${host}`, `${b.peerId}@${host}`]);
  });

  test('R11 the originator pins the destination, which sees the last relay, and the originator only if it shows itself', async () => {
    const [a, , c, d] = await row();
    const shown = await a.connect(addressOf(d), { hops: 3 });
    expect(shown).toMatchObject({ authenticated: true, peerId: d.peerId });
    const atD = await arrived(d);
    expect(atD.peerId).toBe(a.peerId);
    expect(atD.remote.host).toBe((c.listening[0] as Endpoint).host);
    await shown.close();
    await expect.poll(() => atD.state).toBe('closed');
    await a.connect(addressOf(d), { hops: 3, anonymous: true });
    expect((await arrived(d)).peerId).toBeUndefined();
    expect(await codeOf(a.connect(`${c.peerId}@${placeOf(d)}`, { hops: 3 }))).toMatch(/^(?:session\.wrong-peer|relay\.)/);
    expect(await codeOf(a.connect(placeOf(d), { hops: 3 }))).toBe('relay.destination-unpinned');
    const unverified = await a.connect(placeOf(d), { hops: 3, unverifiedDestination: true });
    expect(unverified.authenticated).toBe(false);
  });

  test('R13 a relay in the middle goes, and the session goes on over others: its stream does not notice', async () => {
    const [a, b, c, d] = await row();
    const x = await start();
    await meet(b, x);
    const connection = await a.connect(addressOf(d), { hops: 3 });
    const changes: string[] = [];
    a.on('path-changed', () => changes.push('changed'));
    const echoed = echo(connection, 3_000_000);
    const middle = forwarded(b).nextHop?.peerId === c.peerId ? c : x;
    await middle.close();
    expect(intact(await echoed)).toBe(true);
    expect(changes.length).toBeGreaterThan(0);
    expect(forwarded(b).nextHop?.peerId).toBe(middle === c ? x.peerId : c.peerId);
  });

  test('R13 reroute() moves a session to another path while it carries data, before the old one is left', async () => {
    const [a, b, c, d] = await row();
    const x = await start();
    await meet(a, x);
    await meet(x, c);
    const connection = await a.connect(addressOf(d), { hops: 3, gateway: b.peerId });
    expect(forwarded(b).nextHop?.peerId).toBe(c.peerId);
    const gateways: (string | undefined)[] = [];
    a.on('path-changed', ({ gateway }) => gateways.push(gateway));
    const echoed = echo(connection, 3_000_000);
    await connection.reroute({ gateway: x.peerId });
    expect(intact(await echoed)).toBe(true);
    expect(gateways).toEqual([x.peerId]);
    expect(forwarded(x).nextHop?.peerId).toBe(c.peerId);
    await expect.poll(() => b.status().relayLinks.length).toBe(0);
    await connection.reroute({ hops: 2 });
    expect(await codeOf(connection.reroute({ gateway: gateways.at(-1) as string }))).toBe('relay.no-peers-available');
    expect(connection.state).toBe('open');
  });

  test('R15 who is on the path already says so, and another one is tried', async () => {
    const [a, d, ...relays] = (await startAll(6)) as [MatryoshkaNode, MatryoshkaNode, ...MatryoshkaNode[]];
    await meet(a, relays[0] as MatryoshkaNode);
    for (const [i, relay] of relays.entries()) await meet(relay, ...relays.slice(0, i));
    // Five hops need all four relays: whoever is the third may choose the first one, half of the time.
    for (let i = 0; i < 12; i++) {
      const connection = await a.connect(addressOf(d), { hops: 5 });
      for (const relay of relays) forwarded(relay);
      await connection.close();
      await expect.poll(() => relays.flatMap((relay) => relay.status().relayLinks)).toEqual([]);
    }
  });

  test('R16 a relay limits rate, bytes, age and number of links, and says so', async () => {
    const a = await start();
    const b = await start({ relay: { limits: { link: { bytesPerSecond: 1_000_000, maxAgeMs: 60_000 }, peer: { links: 1 } } } });
    const d = await start();
    await meet(a, b);
    const connection = await a.connect(addressOf(d), { hops: 2 });
    expect(connection.limits).toEqual({ bytesPerSecond: 1_000_000, maxBytes: 0, maxAgeMs: 60_000 });
    expect(await codeOf(a.connect(addressOf(d), { hops: 2 }))).toBe('relay.busy');
    const fromMs = performance.now();
    // There and back, a second of it at once.
    expect(intact(await echo(connection, 1_000_000))).toBe(true);
    expect(performance.now() - fromMs).toBeGreaterThan(800);
    b.updateRelayLimits({ link: { bytesPerSecond: 0, maxBytes: 1_500_000 } });
    const paths: string[] = [];
    a.on('suspended', ({ reason }) => paths.push(reason.code));
    expect(intact(await echo(connection, 1_000_000))).toBe(true);
    expect(new Set(paths)).toEqual(new Set(['relay.limit']));
  });

  test('R17 the last hop does not dial what is not global, unless it is allowed by name', async () => {
    const a = await start();
    const [careful, other] = [await start({ relay: { allowDial: [] } }), await start({ relay: { allowDial: ['private'] } })];
    const d = await start();
    await meet(a, careful, other);
    for (const { peerId } of [careful, other])
      expect(await codeOf(a.connect(addressOf(d), { hops: 2, gateway: peerId }))).toBe('relay.destination-forbidden');
    expect(d.connections).toEqual([]);
  });

  test('R18 the first relay is a connection at random, or a peer that is known, or one that is named', async () => {
    const [d, ...relays] = (await startAll(4)) as [MatryoshkaNode, ...MatryoshkaNode[]];
    const a = await start({ peers: relays.map(addressOf) });
    const first = await a.connect(addressOf(d), { hops: 2 });
    const [gateway] = a.connections.filter(({ kind }) => kind === 'direct');
    expect(relays.map(({ peerId }) => peerId)).toContain(gateway?.peerId);
    await first.close();
    await meet(a, ...relays);
    const chosen = new Set<string>();
    for (let draw = 0; draw < 20; draw++) {
      const connection = await a.connect(addressOf(d), { hops: 2 });
      const carrying = relays.find((relay) => relay.status().relayLinks.some(({ state }) => state === 'open')) as MatryoshkaNode;
      chosen.add(carrying.peerId);
      await connection.close();
      await expect.poll(() => carrying.status().relayLinks).toEqual([]);
    }
    expect(chosen.size).toBe(relays.length);
    const named = relays[1] as MatryoshkaNode;
    await a.connect(addressOf(d), { hops: 2, gateway: named.peerId });
    expect(forwarded(named).destination).toBe(addressOf(d));
  });
});
