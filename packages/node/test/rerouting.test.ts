import { simulatedProvider } from '@matryoshka/simulation';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Connection, MatryoshkaError, type NodeOptions, type PathChange } from '../src/index.ts';
import { type Echoed, TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/**
 * A may go through B or G, both of which know the relays C and X, to D:
 *
 *     A ── B ── C ── D
 *       ╲    ╳     ╱
 *        ─ G ── X ─
 */
async function diamond(seed: number, options: Partial<NodeOptions> = {}): Promise<TestNetwork> {
  const net = new TestNetwork(seed, { provider: simulatedProvider(), latencyMs: 3 });
  await net.startAll(['A', 'B', 'G', 'C', 'X', 'D'], options);
  await net.connect('A', 'B', 'G');
  for (const name of ['B', 'G']) await net.connect(name, 'C', 'X');
  serveEcho(net.node('D'));
  return net;
}

/** Paths of links that were opened from now on, a relay each, the first one first. */
function pathsOf(net: TestNetwork): () => string[] {
  net.events.length = 0;
  return () => {
    const ports = [...new Set(net.events.map(({ link }) => link.port))];
    const opened = (port: string): string[] =>
      net.events.filter(({ event, link }) => event === 'opened' && link.port === port).map(({ node }) => node);
    // The answer comes back: the last relay hears of it first.
    return ports.map((port) => opened(port).toReversed().join('')).filter((path) => path !== '');
  };
}

function changesOf(net: TestNetwork, name: string): { readonly gateway: string | undefined; readonly reason: string }[] {
  const changes: { readonly gateway: string | undefined; readonly reason: string }[] = [];
  net
    .node(name)
    .on('path-changed', ({ gateway, reason }: PathChange) => changes.push({ gateway: net.nameOf(gateway), reason: whyOf(reason) }));
  return changes;
}

/** What the path was left for: the other side may have found out first, and closed the link. */
function whyOf({ cause, code }: MatryoshkaError): string {
  return cause instanceof MatryoshkaError ? cause.code : code;
}

/** An echo during which something happens to the path. */
async function during(net: TestNetwork, connection: Connection, happens: () => void, length = 2_500_000): Promise<Echoed> {
  net.world.clock.after(60, happens);
  return net.run(echo(connection, length));
}

/**
 * Says what came before again, in the place of what comes: who says more than that sends more than was granted, which is a
 * fault of its own.
 */
function repeating(): (bytes: Uint8Array) => readonly Uint8Array[] {
  let last: Uint8Array | undefined;
  return (bytes) => {
    const again = last?.length === bytes.length ? last : bytes;
    last = bytes.slice();
    return [again];
  };
}

/** Whom honest nodes think less of. */
function blamed(net: TestNetwork, liar: string): unknown[] {
  return net.names.filter((name) => name !== liar).flatMap((name) => net.node(name).access().reputations);
}

describe('R13 a relay in the middle', () => {
  test('dies: the session goes on through the same first relay, over another one, under another port', async () => {
    const net = await diamond(1);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3, gateway: net.node('B').peerId }));
    const port = connection.remote.relayPort;
    const changes = [changesOf(net, 'A'), changesOf(net, 'D')];
    const middle = paths()[0]?.at(-1) as string;
    expect(intact(await during(net, connection, () => void net.world.network.crash(net.host(middle))))).toBe(true);
    expect(paths()).toEqual([`B${middle}`, `B${middle === 'C' ? 'X' : 'C'}`]);
    expect(connection.remote.relayPort).not.toBe(port);
    // Who heard of it how depends on what was under way; both say so once.
    expect(changes).toEqual([
      [{ gateway: 'B', reason: expect.any(String) }],
      [{ gateway: middle === 'C' ? 'X' : 'C', reason: expect.any(String) }],
    ]);
    await net.close();
  });

  test('is switched off: its links end with a reason, and the session goes on over another one', async () => {
    const net = await diamond(2);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3, gateway: net.node('G').peerId }));
    const changes = changesOf(net, 'A');
    const middle = paths()[0]?.at(-1) as string;
    expect(intact(await during(net, connection, () => net.node(middle).setRelayEnabled(false)))).toBe(true);
    expect(changes).toEqual([{ gateway: 'G', reason: 'relay.disabled' }]);
    await net.close();
  });

  test.each([
    ['drops', 'session.path-stalled', () => []],
    ['changes', 'session.record-failed', (bytes: Uint8Array) => [bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte))]],
    ['repeats', 'session.record-failed', repeating()],
  ] as const)('%s what it should pass on: %s, another first relay, and nobody is blamed', async (_what, reason, change) => {
    const net = await diamond(3);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const [gateway, middle] = [...(paths()[0] as string)] as [string, string];
    const changes = changesOf(net, 'A');
    let armed = false;
    net.meddle(middle, (bytes) => (armed ? change(bytes) : [bytes]));
    const echoed = during(net, connection, () => void (armed = true));
    // It goes on with that for as long as anybody comes its way.
    expect(intact(await echoed)).toBe(true);
    expect(changes[0]).toEqual({ gateway: gateway === 'B' ? 'G' : 'B', reason });
    expect(blamed(net, middle)).toEqual([]);
    await net.close();
  });
});

describe('R13 the first relay', () => {
  test('dies: the session goes on through another one', async () => {
    const net = await diamond(5);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const gateway = paths()[0]?.at(0) as string;
    const changes = changesOf(net, 'A');
    expect(intact(await during(net, connection, () => void net.world.network.crash(net.host(gateway))))).toBe(true);
    expect(changes).toMatchObject([{ gateway: gateway === 'B' ? 'G' : 'B' }]);
    await net.close();
  });

  test('that the user named stays the first one, whatever the path behind it does', async () => {
    const net = await diamond(6);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3, gateway: net.node('B').peerId }));
    const middle = paths()[0]?.at(-1) as string;
    const changes = changesOf(net, 'A');
    let armed = false;
    net.meddle(middle, (bytes) => (armed ? [bytes.map((byte) => byte ^ 1)] : [bytes]));
    expect(intact(await during(net, connection, () => void (armed = true)))).toBe(true);
    expect(changes[0]).toEqual({ gateway: 'B', reason: 'session.record-failed' });
    await net.close();
  });
});

describe('R13 where there is no way on', () => {
  test('the session ends typed when its time is up, and says what was tried last', async () => {
    const net = await diamond(7);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const from = net.world.clock.now();
    for (const name of ['C', 'X']) net.node(name).setRelayEnabled(false);
    const reason = await net.run(connection.closed);
    expect(reason).toMatchObject({ code: 'relay.disabled', cause: { code: 'relay.no-peers-available' } });
    expect(net.world.clock.now() - from).toBeGreaterThanOrEqual(30_000);
    expect(net.world.clock.now() - from).toBeLessThan(31_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a path that breaks again and again is changed three times at once, then slowly', async () => {
    const net = await diamond(8);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const pauses: number[] = [];
    net.node('A').on('path-changed', () => {
      pauses.push(Math.floor((net.world.clock.now() - brokenAt) / 1000));
    });
    let brokenAt = 0;
    for (let i = 0; i < 5; i++) {
      await net.settle(3000);
      brokenAt = net.world.clock.now();
      for (const name of ['C', 'X']) {
        net.node(name).setRelayEnabled(false);
        net.node(name).setRelayEnabled(true);
      }
      await net.settle(3000);
    }
    expect(pauses).toEqual([0, 0, 0, 1, 1]);
    expect(connection.state).toBe('open');
    await net.close();
  });
});

describe('reroute()', () => {
  test('moves a relayed connection to another path while it carries data: through another first relay, where there is one', async () => {
    const net = await diamond(20);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const changes = changesOf(net, 'A');
    let moved: Promise<void> | undefined;
    expect(intact(await during(net, connection, () => void (moved = connection.reroute())))).toBe(true);
    await net.run(moved as Promise<void>);
    const [before, after] = paths() as [string, string];
    expect(after.at(0)).not.toBe(before.at(0));
    expect(changes).toEqual([{ gateway: after.at(0), reason: 'session.link-lost' }]);
    await net.run(connection.close());
    await net.settle();
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('over other hops, or through a first relay of one’s own choice', async () => {
    const net = await diamond(21);
    const paths = pathsOf(net);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.run(connection.reroute({ hops: 2 }));
    await net.run(connection.reroute({ hops: { min: 3, max: 3 }, gateway: net.node('G').peerId }));
    await net.run(connection.reroute({ hops: 2, gateway: net.node('B').peerId }));
    expect(paths().map((path) => path.length)).toEqual([2, 1, 2, 1]);
    expect(paths()[2]?.at(0)).toBe('G');
    expect(paths()[3]).toBe('B');
    expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
    await net.close();
  });

  test('says so where there is no other path; the one there is goes on', async () => {
    const net = await diamond(22);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 2, gateway: net.node('B').peerId }));
    const { code, message } = await net.failure(connection.reroute());
    expect([code, message]).toEqual(['relay.no-peers-available', 'there is no other path']);
    for (const name of ['C', 'X']) net.node(name).setRelayEnabled(false);
    await net.settle();
    expect((await net.failure(connection.reroute({ hops: 3 }))).code).toBe('relay.no-peers-available');
    expect((await net.failure(connection.reroute({ hops: 16 }))).code).toBe('relay.hops-invalid');
    expect((await net.failure(connection.reroute({ hops: 2, gateway: net.node('X').peerId }))).code).toBe('relay.gateway-unknown');
    expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
    expect(connection.state).toBe('open');
    await net.close();
  });

  test('makes a direct connection anew, or a relayed one of it', async () => {
    const net = await diamond(23);
    const connection = await net.run(net.node('A').connect(net.address('D')));
    const changes = changesOf(net, 'A');
    await net.run(connection.reroute());
    expect([connection.kind, changes]).toEqual(['direct', []]);
    let moved: Promise<void> | undefined;
    expect(intact(await during(net, connection, () => void (moved = connection.reroute({ hops: 3 })), 6_000_000))).toBe(true);
    await net.run(moved as Promise<void>);
    expect([connection.kind, connection.nesting, changes.length]).toEqual(['relayed', 1, 1]);
    // D sees its last relay now, and not A.
    const there = net.node('D').connections.find(({ peerId }) => peerId === net.node('A').peerId) as Connection;
    expect(['C', 'X']).toContain(net.nameOf(there.remote.host));
    await net.close();
  });

  test('is for whoever has opened the connection, and has another path', async () => {
    const net = await diamond(24);
    await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.settle();
    const accepted = net.node('D').connections.find(({ kind }) => kind === 'relayed') as Connection;
    expect((await net.failure(accepted.reroute())).code).toBe('session.not-reroutable');
    const telescoped = await net.run(net.node('A').connect(net.address('D'), { path: [net.address('B')] }));
    expect((await net.failure(telescoped.reroute())).code).toBe('relay.no-peers-available');
    await net.close();
  });
});
