import { afterEach, describe, expect, test, vi } from 'vitest';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/** The first relay of a connection of A that is open. */
function firstRelay(net: TestNetwork): string | undefined {
  return net.names.find((name) =>
    net
      .node(name)
      .status()
      .relayLinks.some(({ previousHop }) => net.nameOf(previousHop.peerId) === 'A'),
  );
}

describe('R18 the first relay', () => {
  test('is one of the connections at random, within the exclusions', async () => {
    const net = new TestNetwork(1);
    await net.start('A', '10.1.0.1');
    for (const [name, host] of [
      ['B', '10.2.0.1'],
      ['C', '10.3.0.1'],
      ['E', '10.4.0.1'],
      ['near', '10.1.200.1'],
      ['beside', '10.9.200.1'],
      ['D', '10.9.0.1'],
    ] as const)
      await net.start(name, host);
    await net.connect('A', 'B', 'C', 'near', 'beside');
    await net.connect('E', 'A');
    const chosen = new Set<string | undefined>();
    for (let i = 0; i < 30; i++) {
      const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
      chosen.add(firstRelay(net));
      await net.run(connection.close());
      await net.settle(30);
    }
    expect(chosen).toEqual(new Set(['B', 'C', 'E']));
    await net.close();
  });

  test('without a connection, A first connects to a peer it knows of, and uses that one', async () => {
    const net = new TestNetwork(2);
    await net.startAll(['B', 'D']);
    serveEcho(net.node('D'));
    await net.start('A', '10.50.0.1', { peers: [net.address('B')] });
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
    expect(firstRelay(net)).toBe('B');
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    await net.close();
  });

  test('those that cannot be reached, or do not relay, are passed over', async () => {
    const net = new TestNetwork(3);
    await net.startAll(['B', 'D']);
    await net.start('off', '10.60.0.1', { relay: { enabled: false } });
    await net.start('gone', '10.61.0.1');
    net.world.network.crash(net.host('gone'));
    await net.start('A', '10.50.0.1', { peers: [net.address('gone'), net.address('off'), net.address('B')] });
    await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
    expect(firstRelay(net)).toBe('B');
    await net.close();
  });

  test('where one can do nothing for A now, another one is asked', async () => {
    const net = new TestNetwork(8);
    await net.startAll(['A', 'B', 'C', 'E', 'D']);
    // Behind B there is nobody; behind C there is E.
    await net.connect('A', 'B', 'C');
    await net.connect('C', 'E');
    for (let i = 0; i < 10; i++) {
      const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
      expect(firstRelay(net)).toBe('C');
      await net.run(connection.close());
      await net.settle();
    }
    // None is asked in the place of one that was named.
    const named = await net.failure(net.node('A').connect(net.address('D'), { hops: 3, gateway: net.node('B').peerId }));
    expect(named.code).toBe('relay.no-peers-available');
    await net.close();
  });

  test('when all can do nothing, A hears the last of them, after a few', async () => {
    const net = new TestNetwork(9);
    await net.startAll(['A', 'B', 'C', 'E', 'F', 'G', 'D']);
    await net.connect('A', 'B', 'C', 'E', 'F', 'G');
    let asked = 0;
    for (const name of ['B', 'C', 'E', 'F', 'G']) net.node(name).on('relay', ({ event }) => void (event === 'requested' && asked++));
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }))).code).toBe('relay.no-peers-available');
    expect(asked).toBe(3);
    // One that is the only one is not asked again.
    asked = 0;
    for (const name of ['C', 'E', 'F', 'G']) net.world.network.crash(net.host(name));
    await net.settle(40_000);
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }))).code).toBe('relay.no-peers-available');
    expect(asked).toBe(1);
    await net.close();
  });

  test('the destination is never connected to for that, nor a peer in its network', async () => {
    const net = new TestNetwork(4);
    await net.startAll(['D']);
    await net.start('beside', '10.1.77.1');
    await net.start('A', '10.50.0.1', { peers: [net.address('D'), net.address('beside')] });
    expect((await net.failure(net.node('A').connect(net.node('D').peerId, { hops: 3 }))).code).toBe('relay.no-peers-available');
    expect(net.node('A').connections).toEqual([]);
    expect(net.node('D').connections).toEqual([]);
    await net.close();
  });

  test('without anybody to ask: relay.no-peers-available', async () => {
    const net = new TestNetwork(5);
    await net.startAll(['A', 'D']);
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 2 }))).code).toBe('relay.no-peers-available');
    await net.close();
  });

  test('can be named: by its id, or with its endpoint to connect to it first', async () => {
    const net = new TestNetwork(6);
    await net.startAll(['A', 'B', 'C', 'E', 'D']);
    await net.connect('A', 'B', 'C');
    for (const gateway of [net.node('C').peerId, net.address('C'), net.address('E')]) {
      const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 2, gateway }));
      expect(net.nameOf(gateway.split('@')[0])).toBe(firstRelay(net));
      await net.run(connection.close());
      await net.settle();
    }
    const { code, message } = await net.failure(net.node('A').connect(net.address('D'), { hops: 2, gateway: net.node('D').peerId }));
    expect(code).toBe('relay.gateway-unknown');
    expect(message).toContain(net.node('D').peerId);
    for (const hops of [undefined, 1]) {
      const wrong = await net.failure(net.node('A').connect(net.address('D'), { gateway: net.address('B'), ...(hops && { hops }) }));
      expect(wrong).toMatchObject({ code: 'config.invalid', message: expect.stringContaining('gateway needs hops of 2 or more') });
    }
    await net.close();
  });

  test('a connection on which A is anonymous is not used for it', async () => {
    const net = new TestNetwork(7);
    await net.startAll(['A', 'B', 'D']);
    await net.run(net.node('A').connect(net.address('B'), { anonymous: true }));
    await net.settle();
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 2 }))).code).toBe('relay.no-peers-available');
    await net.close();
  });
});
