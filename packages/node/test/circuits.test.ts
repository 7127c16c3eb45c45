import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type CircuitOptions, type Connection, type ConnectOptions, createNode } from '../src/index.ts';
import { networkOf } from './circuits.ts';
import { type TestNetwork, echo, intact, serveEcho } from './network.ts';

const provider = simulatedProvider();

const circuit = (net: TestNetwork, options: CircuitOptions = {}, more: ConnectOptions = {}): Promise<Connection> =>
  net.node('A').connect(net.node('Z').peerId, { circuit: { hops: 4, ...options }, ...more });
const hopsOf = (net: TestNetwork, connection: Connection): string[] =>
  connection.hops?.map(({ peerId }) => net.nameOf(peerId) ?? '?') ?? [];
const relaysOf = (net: TestNetwork, connection: Connection): string[] => hopsOf(net, connection).slice(0, -1);

describe('circuits over chosen relays', () => {
  test('as many hops as asked for, by peer id alone; each hop tells how it is', async () => {
    const net = await networkOf(1, 6);
    const connection = await net.run(circuit(net));
    expect(connection).toMatchObject({ kind: 'telescoped', peerId: net.node('Z').peerId, authenticated: true, nesting: 3 });
    expect(new Set(hopsOf(net, connection)).size).toBe(4);
    expect(hopsOf(net, connection).at(-1)).toBe('Z');
    expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
    await net.settle(9_000);
    for (const [index, hop] of (connection.hops ?? []).entries()) {
      expect(hop).toMatchObject({ state: 'open', endpoint: { port: 999 } });
      // Each is a round trip of 10 ms further away.
      if (index > 0) expect(hop.roundTripMs).toBeGreaterThan(10 * index);
      expect(hop.bytesSent).toBeGreaterThan(100_000);
      expect(hop.bytesReceived).toBeGreaterThan(100_000);
      expect(hop.keyAgeMs).toBeGreaterThan(9_000);
    }
    // The far end does not know who it is, nor do the relays behind the first.
    expect(
      net
        .node('Z')
        .status()
        .connections.map(({ peerId }) => peerId),
    ).toContain(undefined);
    const status = JSON.parse(JSON.stringify(net.node('A').status())) as ReturnType<Connection['toString']>;
    expect(status).toMatchObject({
      circuits: expect.arrayContaining([expect.objectContaining({ users: 1 }), expect.objectContaining({ users: 0 })]),
    });
    await net.run(connection.close());
    await net.close();
    await net.settle(40_000);
    expect(net.holdings()).toEqual(net.nothing());
  });

  test.each([2, 3, 8, 15])('%i hops', async (hops) => {
    const net = await networkOf(2, 16, { circuits: { ready: 0 } });
    const connection = await net.run(circuit(net, { hops }));
    expect(new Set(hopsOf(net, connection)).size).toBe(hops);
    expect(intact(await net.run(echo(connection, 1_000)))).toBe(true);
    await net.close();
  });

  test('one hop is a direct connection, and sixteen are none', async () => {
    const net = await networkOf(3, 3);
    await expect(net.run(net.node('A').connect(net.address('Z'), { circuit: { hops: 1 } }))).resolves.toMatchObject({ kind: 'direct' });
    await expect(net.failure(circuit(net, { hops: 16 }))).resolves.toMatchObject({ code: 'relay.hops-invalid' });
    await expect(net.failure(net.node('A').connect(net.address('Z'), { circuit: {}, hops: 3 }))).resolves.toMatchObject({
      code: 'config.invalid',
    });
    await net.close();
  });

  test('the first hop stays, the others change; the next circuit is ready and costs one round trip', async () => {
    const net = await networkOf(4, 10);
    const first = await net.run(circuit(net));
    await net.settle(2_000);
    const from = net.world.clock.now();
    const second = await net.run(circuit(net));
    // A to the last relay and Z: four legs of 5 ms there and back, and one dial.
    expect(net.world.clock.now() - from).toBeLessThanOrEqual(60);
    const paths = [first, second, await net.run(circuit(net)), await net.run(circuit(net))].map((each) => relaysOf(net, each));
    expect(new Set(paths.map(([entry]) => entry)).size).toBe(1);
    expect(new Set(paths.map((path) => path.join())).size).toBeGreaterThan(1);
    await net.close();
  });

  test('too few relays for what is asked: the error says what left nobody', async () => {
    const net = await networkOf(5, 3, {}, () => ({ directory: { operator: 'one' } }));
    const { code, message } = await net.failure(circuit(net));
    expect(code).toBe('circuit.no-path');
    expect(message).toContain('"distinct operators" leaves none');
    await net.close();
  });

  test('isolation: the same key shares relays, another one never does, none neither', async () => {
    const net = await networkOf(6, 12, { circuits: { ready: 0 } });
    const connect = (isolation?: string): Promise<Connection> => net.run(circuit(net, isolation === undefined ? {} : { isolation }));
    const users = (): number[] =>
      net
        .node('A')
        .status()
        .circuits.map((each) => each.users);
    const [a1, a2, b1, none] = [await connect('a'), await connect('a'), await connect('b'), await connect()];
    expect(relaysOf(net, a1)).toEqual(relaysOf(net, a2));
    expect(users().toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
    await net.run(a1.close());
    await net.run(a2.close());
    // It waits for its key to come again.
    await connect('a');
    expect(users().length).toBe(3);
    await net.run(b1.close());
    await net.run(none.close());
    expect(users().length).toBe(2);
    await net.close();
  });

  test('an old circuit takes nothing new', async () => {
    const net = await networkOf(7, 12, { circuits: { ready: 0, maxAgeMs: 60_000 } });
    await net.run(circuit(net, { isolation: 'a' }));
    await net.settle(61_000);
    await net.run(circuit(net, { isolation: 'a' }));
    expect(
      net
        .node('A')
        .status()
        .circuits.map(({ users }) => users),
    ).toEqual([1, 1]);
    await net.close();
  });

  test('given up while it is built, nothing stays behind', async () => {
    const net = await networkOf(8, 6, { circuits: { ready: 0 } });
    const controller = new AbortController();
    const building = circuit(net, {}, { signal: controller.signal });
    net.world.clock.after(50, () => controller.abort());
    expect((await net.failure(building)).code).toBe('aborted');
    await net.settle(60_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });
});

describe('the end of a circuit behind a relay', () => {
  test.each<[string, (net: TestNetwork) => ConnectOptions]>([
    ['relays are chosen', () => ({ circuit: { hops: 4 } })],
    ['that relay is the only one', () => ({ circuit: { hops: 2 } })],
    ['a path leads to it', (net) => ({ path: [net.address('R2'), net.address('R3')] })],
    ['a path names it as its last hop', (net) => ({ path: [net.address('R2'), net.address('R1')] })],
  ])('a peer that can only dial out is reached through the relay it is registered with: %s', async (_what, options) => {
    const net = await networkOf(95, 6, { circuits: { ready: 0 } });
    const w = await net.start('W', '10.220.0.1', {
      listen: [],
      relay: { enabled: true, forward: false, registerWith: [net.address('R1')] },
    });
    serveEcho(w);
    await net.settle(1_000);
    const connection = await net.run(net.node('A').connect(`${w.peerId}@${net.address('R1')}`, options(net)));
    expect(connection).toMatchObject({ kind: 'telescoped', peerId: w.peerId, authenticated: true });
    expect(relaysOf(net, connection).at(-1)).toBe('R1');
    expect(intact(await net.run(echo(connection, 20_000)))).toBe(true);
    // The relay it is at hears of nobody before the one that asks.
    expect(JSON.stringify(net.node('R1').status())).not.toContain(net.node('A').peerId);
    await net.run(connection.close());
    await net.close();
  });

  test('one that is not registered there is refused', async () => {
    const net = await networkOf(96, 4, { circuits: { ready: 0 } });
    const w = await net.start('W', '10.220.0.1', { listen: [] });
    const { code, error } = await net.failure(net.node('A').connect(`${w.peerId}@${net.address('R1')}`, { circuit: { hops: 3 } }));
    expect(code).toBe('circuit.extend-failed');
    expect(error.cause).toMatchObject({ code: 'relay.destination-unreachable' });
    await net.close();
  });
});

test('a connection is moved to another circuit while it is used, and nothing is lost', async () => {
  const net = await networkOf(98, 12);
  const connection = await net.run(circuit(net));
  const paths = new Set([relaysOf(net, connection).join()]);
  let moved = 0;
  const move = (): void => {
    if (moved === 4) return;
    void connection.reroute().then(() => {
      moved++;
      paths.add(relaysOf(net, connection).join());
      net.world.clock.after(20, move);
    });
  };
  net.world.clock.after(20, move);
  expect(intact(await net.run(echo(connection, 2_000_000)))).toBe(true);
  expect(moved).toBeGreaterThan(1);
  expect(paths.size).toBeGreaterThan(1);
  await net.settle(1_000);
  // Those that were left are closed.
  expect(
    net
      .node('A')
      .status()
      .circuits.filter(({ users }) => users > 0).length,
  ).toBe(1);
  await net.close();
});

test('traffic of its own: every hop but the first looks so, also after a hop was replaced', async () => {
  const net = await networkOf(97, 8);
  const connection = await net.run(circuit(net, {}, { traffic: 'private' }));
  const lost = relaysOf(net, connection)[1] as string;
  await net.settle(3_000);
  void net.world.network.crash(net.host(lost));
  expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
  expect(relaysOf(net, connection)).not.toContain(lost);
  expect(connection.traffic).toMatchObject({ preset: 'private', recordBytes: 4096 });
  await net.settle(30_000);
  // What it costs is told: of each hop but the first, cover every two seconds on average, in records of 4 KiB.
  for (const hop of connection.hops!.slice(1)) {
    expect(hop.coverBytesSent).toBeGreaterThan(5 * 4096);
    expect(hop.coverBytesSent % 4096).toBe(0);
    expect(hop.paddingBytesSent).toBeGreaterThan(hop.coverBytesSent / 2);
    expect(hop.bytesSent).toBeGreaterThan(hop.coverBytesSent);
  }
  expect(connection.hops![0]!.coverBytesSent).toBe(0);
  const inner = net.node('A').connections.filter(({ kind, nesting }) => kind === 'relayed' && nesting > 0);
  expect(inner.filter(({ traffic }) => traffic.preset === 'private').length).toBeGreaterThanOrEqual(2);
  await net.close();
});

test('where nothing can be built, little is tried', async () => {
  const net = await networkOf(90, 4, { circuits: { ready: 2, entryGuards: 0 } });
  await net.run(circuit(net));
  await net.settle(1_000);
  expect(net.node('A').status().circuits.length).toBe(3);
  // Of four relays, three of which each circuit needs, two are gone.
  for (const name of ['R1', 'R2']) await net.run(net.node(name).close());
  const before = net.world.network.traffic.messages;
  await net.settle(120_000);
  expect(
    net
      .node('A')
      .status()
      .circuits.filter(({ users }) => users === 0),
  ).toEqual([]);
  const messages = net.world.network.traffic.messages - before;
  await net.settle(120_000);
  // The more often it failed, the rarer it becomes.
  expect(net.world.network.traffic.messages - before - messages).toBeLessThan(messages);
  await net.close();
});

describe('a circuit that loses a hop', () => {
  test.each([0, 1, 2])('hop %i crashes: the connection goes on over another circuit, without a byte lost', async (index) => {
    const net = await networkOf(20 + index, 8, { circuits: { ready: index === 1 ? 0 : 2 } });
    const connection = await net.run(circuit(net));
    const before = relaysOf(net, connection);
    const lost = before[index] as string;
    net.world.clock.after(100, () => void net.world.network.crash(net.host(lost)));
    const from = net.world.clock.now();
    expect(intact(await net.run(echo(connection, 2_500_000)))).toBe(true);
    expect(net.world.clock.now() - from).toBeLessThan(40_000);
    expect(connection).toMatchObject({ state: 'open', kind: 'telescoped' });
    expect(relaysOf(net, connection)).not.toContain(lost);
    expect(relaysOf(net, connection).length).toBe(3);
    // The guard stays unless it was the one that was lost.
    if (index > 0) expect(relaysOf(net, connection)[0]).toBe(before[0]);
    await net.run(connection.close());
    await net.settle(60_000);
    expect(
      net
        .node('A')
        .status()
        .circuits.every(({ users }) => users === 0),
    ).toBe(true);
    await net.close();
  });

  test('one after the other all relays are lost', async () => {
    const net = await networkOf(30, 12);
    const connection = await net.run(circuit(net));
    const killed = new Set<string>();
    const kill = (): void => {
      const relays = relaysOf(net, connection);
      if (connection.state === 'open' && !relays.some((name) => killed.has(name))) {
        const lost = relays[killed.size] as string;
        killed.add(lost);
        void net.world.network.crash(net.host(lost));
      }
      if (killed.size < 3) net.world.clock.after(50, kill);
    };
    net.world.clock.after(50, kill);
    expect(intact(await net.run(echo(connection, 5_000_000)))).toBe(true);
    expect(killed.size).toBe(3);
    expect(relaysOf(net, connection).some((name) => killed.has(name))).toBe(false);
    await net.close();
  });

  test('over a named path: the same path again, once the hop is back', async () => {
    const net = await networkOf(31, 3);
    const path = ['R1', 'R2', 'R3'].map((name) => net.address(name));
    const connection = await net.run(net.node('A').connect(net.address('Z'), { path }));
    const { identity } = net.node('R2');
    const { clock, network } = net.world;
    const restart = (): void =>
      void createNode({
        identity,
        transports: [network.host(net.host('R2'))],
        listen: [`${net.host('R2')}:999`],
        provider,
        clock,
        random: seededRandom(5),
        relay: { enabled: true, allowDial: ['private'] },
      });
    clock.after(50, () => void network.crash(net.host('R2')));
    clock.after(4_000, restart);
    expect(intact(await net.run(echo(connection, 2_500_000)))).toBe(true);
    expect(hopsOf(net, connection)).toEqual(['R1', 'R2', 'R3', 'Z']);
    await net.close();
  });
});

describe('reroute() of a telescoped connection', () => {
  test('moves it to another circuit while it carries data', async () => {
    const net = await networkOf(40, 8);
    const connection = await net.run(circuit(net));
    const before = relaysOf(net, connection);
    let moved: Promise<void> | undefined;
    net.world.clock.after(50, () => void (moved = connection.reroute()));
    expect(intact(await net.run(echo(connection, 2_500_000)))).toBe(true);
    await net.run(moved as Promise<void>);
    expect(connection).toMatchObject({ kind: 'telescoped', nesting: 3, state: 'open' });
    expect(relaysOf(net, connection)).not.toEqual(before);
    await net.run(connection.close());
    await net.close();
  });

  test('there is no other one where its path was named, and hops are not for it; it stays where it is', async () => {
    const net = await networkOf(41, 2);
    const connection = await net.run(net.node('A').connect(net.address('Z'), { path: [net.address('R1')] }));
    expect((await net.failure(connection.reroute())).code).toBe('relay.no-peers-available');
    expect((await net.failure(connection.reroute({ hops: 2 }))).code).toBe('session.not-reroutable');
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    await net.close();
  });
});
