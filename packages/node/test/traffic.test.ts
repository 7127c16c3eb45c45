import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection, ConnectOptions, NodeOptions, TrafficOption } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

// How connections look to those who see their bytes (docs/protocol.md §4.5, §4.6, §8.5).

const RECORD = 4096;
/** Messages of the handshake: request and answer on direct links, the opening also on relay links. */
const [REQUEST, ANSWER, OPENING] = [1280, 1344, 384];

afterEach(() => vi.restoreAllMocks());

const refusal = (message: string): unknown =>
  expect.objectContaining({ code: 'config.invalid', message: expect.stringContaining(message) as unknown });

/** Five nodes, each in a network of its own; E serves an echo. B, C and D know the next one, so that relays have somebody to choose. */
async function five(seed: number, options: Partial<NodeOptions> = {}): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(['A', 'B', 'C', 'D', 'E'], options);
  serveEcho(net.node('E'));
  await net.connect('A', 'B');
  await net.connect('B', 'C');
  await net.connect('C', 'D');
  return net;
}

const TELESCOPED = 'telescoped over four hops';
const RELAYED = 'relayed over four hops';

function connect(net: TestNetwork, shape: string, options: ConnectOptions = {}): Promise<Connection> {
  const way = shape === RELAYED ? { hops: 4 } : { path: ['B', 'C', 'D'].map((name) => net.address(name)) };
  return net.run(net.node('A').connect(net.address('E'), { ...way, ...options }));
}

/** Lengths of relay data by the node that it came to, from here on. */
function units(net: TestNetwork): Map<string, number[]> {
  const lengths = new Map<string, number[]>(net.names.map((name) => [name, []]));
  net.overhearData((node, bytes) => lengths.get(node)?.push(bytes.length));
  return lengths;
}

describe('in `private` every relay forwards units of one size', () => {
  test.each([TELESCOPED, RELAYED])('%s, whichever place it has, both ways', async (shape) => {
    const net = await five(1, { traffic: 'private' });
    const lengths = units(net);
    const onLinks: number[] = [];
    net.world.network.tap((_from, _to, message) => onLinks.push(message.length));
    const connection = await connect(net, shape);
    expect(intact(await net.run(echo(connection, 200_000)))).toBe(true);
    for (const size of [1, 100, 4000, 4100, 9000]) expect(intact(await net.run(echo(connection, size)))).toBe(true);
    await net.settle(5000);
    for (const name of ['B', 'C', 'D']) {
      const [opening, ...others] = [...new Set(lengths.get(name))];
      expect([opening, others], name).toEqual([OPENING, [RECORD]]);
      expect(lengths.get(name)?.length, name).toBeGreaterThan(100);
    }
    // On the links between them, too: the handshake of C's or D's connection to the next one, and records.
    expect([...new Set(onLinks)].filter((length) => ![REQUEST, ANSWER, OPENING].includes(length))).toEqual([RECORD]);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test.each([TELESCOPED, RELAYED])('%s, where only the originator asks for it', async (shape) => {
    const net = await five(2);
    const lengths = units(net);
    const connection = await connect(net, shape, { traffic: 'private' });
    expect(intact(await net.run(echo(connection, 200_000)))).toBe(true);
    for (const name of ['B', 'C', 'D']) expect([...new Set(lengths.get(name))], name).toEqual([OPENING, RECORD]);
    const [atE] = net.node('E').connections.filter(({ kind }) => kind === 'relayed');
    expect([connection.traffic, atE?.traffic]).toMatchObject([
      { preset: 'private', recordBytes: RECORD },
      { preset: 'standard', recordBytes: RECORD },
    ]);
    await net.close();
  });

  test('units wait for credit and are not cut, however little there is of it', async () => {
    const net = await five(3, { traffic: 'private', relay: { enabled: true, allowDial: ['private'], relayMemoryBytes: 1024 * 1024 } });
    const lengths = units(net);
    const connection = await connect(net, RELAYED);
    expect(intact(await net.run(echo(connection, 500_000)))).toBe(true);
    for (const name of ['B', 'C', 'D']) expect([...new Set(lengths.get(name))], name).toEqual([OPENING, RECORD]);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('a session that is suspended in the middle of it goes on with the same sizes', async () => {
    const net = await five(4, { traffic: 'private' });
    const lengths = units(net);
    const connection = await connect(net, RELAYED);
    const running = echo(connection, 400_000);
    await net.settle(60);
    expect(net.world.network.cut(net.host('A'), net.host('B'))).toBe(1);
    await net.settle(300);
    expect(net.world.network.cut(net.host('B'), net.host('C'))).toBe(1);
    expect(intact(await net.run(running))).toBe(true);
    for (const name of ['B', 'C', 'D']) expect(new Set(lengths.get(name)), name).toEqual(new Set([OPENING, RECORD]));
    await net.close();
  });

  test('relay ports are per hop, unless they are told not to be', async () => {
    for (const [options, different] of [
      [{ traffic: 'private' }, true],
      [{ traffic: 'private', relay: { enabled: true, allowDial: ['private'], relayPorts: 'end-to-end' } }, false],
      [{}, false],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const net = await five(5, options);
      // oxlint-disable-next-line no-await-in-loop
      await connect(net, RELAYED);
      const [link] = net.node('C').status().relayLinks;
      expect(link?.nextPort !== link?.port).toBe(different);
      // oxlint-disable-next-line no-await-in-loop
      await net.close();
    }
  });
});

describe('a session that is resumed', () => {
  test.each(['standard', 'private', 'plain'] as const)(
    'begins in %s with messages of the same lengths as a new connection',
    async (traffic) => {
      const net = new TestNetwork(11);
      await net.startAll(['A', 'B'], { traffic });
      const begun = async (): Promise<string[]> => {
        const seen: string[] = [];
        const stop = net.world.network.tap((from, _to, message) => seen.push(`${from.host} ${message.length}`));
        await net.settle(300);
        stop();
        // Handshake, and the first record of each side.
        return seen.slice(0, 5);
      };
      const [opened, connection] = [begun(), net.node('A').connect(net.address('B'))];
      const first = await opened;
      await net.run(connection);
      await net.settle(1000);
      expect(net.world.network.cut(net.host('A'), net.host('B'))).toBe(1);
      expect(await begun()).toEqual(first);
      expect(first).toHaveLength(5);
      await net.close();
    },
  );
});

describe('cover', () => {
  test('an idle connection over relays shows as many units on each of them as its sides send', async () => {
    const net = await five(6, { traffic: 'private' });
    await connect(net, RELAYED);
    await net.settle(10_000);
    const lengths = units(net);
    await net.settle(60_000);
    const [atB, atC, atD] = ['B', 'C', 'D'].map((name) => lengths.get(name)?.length);
    // Two sides, one in 2 s each.
    expect(atB).toBeGreaterThan(35);
    expect(atB).toBeLessThan(90);
    expect([atC, atD]).toEqual([atB, atB]);
    await net.close();
  });

  test.each(['standard', 'plain'] as const)(
    'there is none in %s: an idle connection asks whether the other side is there, and no more',
    async (traffic) => {
      const net = await five(7, { traffic });
      await connect(net, RELAYED);
      const lengths = units(net);
      await net.settle(60_000);
      expect(lengths.get('B')?.length).toBeLessThan(40);
      await net.close();
    },
  );
});

describe('settings', () => {
  test('of one connection change while it is used, and show', async () => {
    const net = await five(8);
    const connection = await connect(net, TELESCOPED);
    expect(connection.traffic).toEqual({ preset: 'standard', padding: { kind: 'padme' }, cover: { kind: 'none' }, recordBytes: 0 });
    const running = echo(connection, 600_000);
    await net.settle(50);
    connection.updateTraffic('private');
    await net.settle(50);
    connection.updateTraffic({ padding: { recordBytes: 2048 }, cover: { meanMs: 100 } });
    expect(connection.traffic).toMatchObject({ preset: undefined, recordBytes: 2048 });
    await net.settle(50);
    connection.updateTraffic(undefined);
    expect(intact(await net.run(running))).toBe(true);
    expect(connection.traffic.preset).toBe('standard');
    connection.updateTraffic('private');
    const lengths = units(net);
    // What was under way is done.
    await net.settle(1000);
    for (const of of lengths.values()) of.length = 0;
    expect(intact(await net.run(echo(connection, 20_000)))).toBe(true);
    for (const name of ['B', 'C', 'D']) expect(new Set(lengths.get(name)), name).toEqual(new Set([RECORD]));
    expect(
      net
        .node('A')
        .status()
        .connections.find(({ id }) => id === connection.id)?.traffic.preset,
    ).toBe('private');
    await net.close();
  });

  test('of a node change for all its connections but those that have their own', async () => {
    const net = await five(9);
    const own = await connect(net, RELAYED, { traffic: 'plain' });
    net.node('A').updateTraffic('private');
    const others = net.node('A').connections.filter(({ id }) => id !== own.id);
    expect(others.map(({ traffic }) => traffic.preset)).toEqual(others.map(() => 'private'));
    expect(own.traffic.preset).toBe('plain');
    // A connection that is there already takes what it is asked for.
    const again = await net.run(net.node('A').connect(net.address('B'), { traffic: 'standard' }));
    expect(again.traffic.preset).toBe('standard');
    expect(others.some(({ id }) => id === again.id)).toBe(true);
    await net.close();
  });

  test.each<[traffic: unknown, message: string]>([
    ['Private', 'traffic: must be plain, standard, private, or an object with padding and cover'],
    [7, 'traffic: must be plain, standard, private, or an object with padding and cover, not 7'],
    [{ pading: 'none' }, 'traffic.pading: unknown, known here are padding, cover'],
    [{ padding: 'max' }, 'traffic.padding: must be none, padme, { maxBytes: 0 to 64512 } or { recordBytes: 2048 to 16384 }'],
    [{ padding: { recordBytes: 1024 } }, 'traffic.padding.recordBytes: must be a whole number from 2048 to 16384, not 1024'],
    [{ cover: { meanMs: 0 } }, 'traffic.cover.meanMs: must be a number from 1 to 3600000, not 0'],
    [{ cover: 'some' }, 'traffic.cover: must be none, { meanMs: 1 to 3600000 } or { intervalMs: 0.1 to 3600000 }'],
    [{ cover: { intervalMs: 10 } }, 'traffic.cover: intervalMs needs padding with recordBytes'],
  ])('%o: %s', async (traffic, message) => {
    const net = new TestNetwork(10);
    await expect(net.start('A', '10.1.0.1', { traffic: traffic as TrafficOption })).rejects.toEqual(refusal(message));
    await net.startAll(['B', 'C']);
    await net.connect('B', 'C');
    const [connection] = net.node('B').connections;
    expect(() => net.node('B').updateTraffic(traffic as TrafficOption)).toThrow(message);
    expect(() => connection?.updateTraffic(traffic as TrafficOption)).toThrow(message);
    await expect(net.run(net.node('B').connect(net.address('C'), { traffic: traffic as TrafficOption }))).rejects.toEqual(refusal(message));
    expect(connection?.traffic.preset).toBe('standard');
    await net.close();
  });
});
