import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

const direct = (net: TestNetwork, name: string): (string | undefined)[] =>
  net
    .node(name)
    .status()
    .connections.filter(({ kind }) => kind === 'direct')
    .map(({ peerId }) => net.nameOf(peerId));

describe('R9 the last hop uses the connection that there is', () => {
  test('one that it dialled, and one that the destination made', async () => {
    const net = new TestNetwork(1);
    await net.startAll(['A', 'B', 'C', 'D']);
    await net.connect('A', 'B');
    await net.connect('B', 'D');
    await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
    expect(direct(net, 'D')).toEqual(['B']);
    await net.connect('C', 'B');
    // C dialled in; nobody has to know where it is. By itself A could also choose D, which it reaches through B.
    await net.run(net.node('A').connect(net.node('C').peerId, { hops: 2, gateway: net.node('B').peerId }));
    expect(direct(net, 'C')).toEqual(['B']);
    await net.close();
  });

  test('the seed’s example: D asks A for C over two hops, and A’s connection to C is itself relayed, through B', async () => {
    const net = new TestNetwork(2);
    await net.startAll(['A', 'B', 'C', 'D']);
    serveEcho(net.node('C'));
    await net.connect('A', 'B');
    await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    await net.settle();
    await net.connect('D', 'A');
    const heard = net.overhear();
    const connection = await net.run(net.node('D').connect(net.address('C'), { hops: 2 }));
    await net.settle();
    // D thinks it is two hops; A asked C inside its own connection, of which B carried the bytes.
    expect(
      heard
        .filter(({ message }) => message.type === 'relay-create')
        .map(({ node, message }) => [node, 'hopsLeft' in message && message.hopsLeft]),
    ).toEqual([
      ['A', 1],
      ['C', 0],
    ]);
    expect(direct(net, 'C')).toEqual(['B']);
    expect(net.node('A').status().relayLinks).toMatchObject([{ state: 'open', nextHop: { peerId: net.node('C').peerId } }]);
    expect(connection.nesting).toBe(1);
    expect(
      net
        .node('C')
        .status()
        .connections.find(({ nesting }) => nesting === 2),
    ).toMatchObject({ peerId: net.node('D').peerId });
    expect(intact(await net.run(echo(connection, 300_000)))).toBe(true);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('an endpoint that a peer only claims does not count: the real one is dialled', async () => {
    const net = new TestNetwork(3);
    await net.startAll(['A', 'B', 'D']);
    serveEcho(net.node('D'));
    // M says in its hello that it listens where D does.
    const m = await net.start('M', '10.90.0.1');
    vi.spyOn(m, 'listening', 'get').mockReturnValue(net.node('D').listening);
    await net.connect('A', 'B');
    await net.connect('M', 'B');
    const connection = await net.run(net.node('A').connect(`${net.host('D')}:999`, { hops: 2, unverifiedDestination: true }));
    expect(net.nameOf(connection.peerId)).toBe('D');
    expect(direct(net, 'D')).toEqual(['B']);
    await net.close();
  });

  test('requests that come together share one new connection', async () => {
    const net = new TestNetwork(4);
    await net.startAll(['A', 'B', 'D']);
    await net.connect('A', 'B');
    await net.run(Promise.all(Array.from({ length: 8 }, () => net.node('A').connect(net.address('D'), { hops: 2 }))));
    await net.settle();
    expect(direct(net, 'D')).toEqual(['B']);
    expect(net.node('D').connections.length).toBe(9);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('one that was made for it stays when the user of that node gets hold of it', async () => {
    const net = new TestNetwork(5);
    await net.startAll(['A', 'B', 'D']);
    await net.connect('A', 'B');
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
    const held = await net.run(net.node('B').connect(net.address('D')));
    await net.run(connection.close());
    await net.settle(100_000);
    expect(held.open).toBe(true);
    await net.close();
  });

  test.each([2, 3, 4])('R3 a peer at a relay, over %i hops: that relay is the last one, and no other on the way', async (hops) => {
    const net = new TestNetwork(6 + hops);
    await net.startAll(['A', 'B', 'C', 'R']);
    // D can only dial out.
    await net.start('D', '10.66.0.1', { listen: [], relay: { registerWith: [net.address('R')] } });
    serveEcho(net.node('D'));
    await net.connect('A', 'B');
    await net.connect('B', 'C', 'R');
    await net.connect('C', 'R');
    const to = `${net.node('D').peerId}@${net.address('R')}`;
    const connection = await net.run(net.node('A').connect(to, { hops }));
    expect(net.nameOf(connection.peerId)).toBe('D');
    await net.settle();
    const path = net.events.filter(({ event }) => event === 'requested').map(({ node }) => node);
    expect(path).toEqual([['R'], ['B', 'R'], ['B', 'C', 'R']][hops - 2]);
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    // One who is not there is not looked for elsewhere.
    await net.run(connection.close());
    await net.settle();
    await net.start('E', '10.67.0.1');
    expect((await net.failure(net.node('A').connect(`${net.node('E').peerId}@${net.address('R')}`, { hops }))).code).toBe(
      'relay.destination-unreachable',
    );
    await net.close();
  });

  test('the destination is not looked for at the relay itself', async () => {
    const net = new TestNetwork(20);
    await net.startAll(['A', 'B', 'C']);
    await net.connect('A', 'B', 'C');
    await net.connect('B', 'C');
    expect((await net.failure(net.node('A').connect(net.address('B'), { hops: 2, gateway: net.node('B').peerId }))).code).toBe(
      'relay.loop',
    );
    await net.close();
  });
});

describe('the seed’s picture: many relayed connections over the same connections', () => {
  /** A–D over B and C; E–D over B and C; F–B over C. */
  async function picture(seed: number): Promise<TestNetwork> {
    const net = new TestNetwork(seed);
    await net.startAll(['A', 'B', 'C', 'D', 'E', 'F']);
    for (const name of ['B', 'C', 'D']) serveEcho(net.node(name));
    await net.connect('A', 'B');
    await net.connect('E', 'B');
    await net.connect('F', 'C');
    await net.connect('B', 'C');
    await net.connect('C', 'D');
    return net;
  }

  test('E–D and F–B share what A–D uses; all at once, all bytes intact', async () => {
    const net = await picture(10);
    /** Three hops to D by B and C: B draws its next hop, so it is tried until it is C. */
    const viaC = async (from: string): Promise<Connection> => {
      for (;;) {
        const connection = await net.run(net.node(from).connect(net.address('D'), { hops: 3, gateway: net.node('B').peerId }));
        const link = net
          .node('B')
          .status()
          .relayLinks.find(({ port }) => port === String(connection.remote.relayPort));
        if (net.nameOf(link?.nextHop?.peerId) === 'C') return connection;
        await net.run(connection.close());
      }
    };
    const ad = await viaC('A');
    const ed = await viaC('E');
    const fb = await net.run(net.node('F').connect(net.address('B'), { hops: 2 }));
    await net.settle();
    // B–C carries three relayed connections: two that B forwards and the one that ends at B.
    expect(
      net
        .node('C')
        .status()
        .relayLinks.map(({ previousHop, nextHop }) => `${net.nameOf(previousHop.peerId)} to ${net.nameOf(nextHop?.peerId)}`)
        .toSorted(),
    ).toEqual(['B to D', 'B to D', 'F to B']);
    expect(net.node('B').status().relayLinks.length).toBe(2);
    const between = (a: string, b: string): number =>
      net
        .node(a)
        .status()
        .connections.filter(({ kind, peerId }) => kind === 'direct' && net.nameOf(peerId) === b).length;
    expect([between('B', 'C'), between('C', 'D')]).toEqual([1, 1]);
    // And B and C, C and D have business of their own meanwhile.
    const bc = await net.run(net.node('B').connect(net.address('C')));
    const cd = await net.run(net.node('C').connect(net.address('D')));
    const transfers = await net.run(Promise.all([ad, ed, fb, bc, cd].map((connection, i) => echo(connection, 400_000 + i * 1111, i))));
    expect(transfers.map(intact)).toEqual([true, true, true, true, true]);
    await net.run(Promise.all([ad, ed, fb].map((connection) => connection.close())));
    await net.settle();
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('R8 a reader that stops, and a way that is blocked, do not delay the others', async () => {
    const net = await picture(11);
    const gateway = net.node('B').peerId;
    const length = 400_000;
    const time = async (): Promise<number> => {
      const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2, gateway }));
      const from = net.world.clock.now();
      expect(intact(await net.run(echo(connection, length)))).toBe(true);
      const took = net.world.clock.now() - from;
      await net.run(connection.close());
      return took;
    };
    const alone = await time();
    // A stopped reader at D, and nothing gets from C to D any more.
    const stuck = await net.run(net.node('A').connect(net.address('D'), { hops: 2, gateway }));
    net.node('D').serve('/stop/1', (stream) => {
      stream.pause();
      stream.attach({});
    });
    const stopped = await net.run(stuck.openStream('/stop/1'));
    stopped.attach({});
    while (stopped.write(new Uint8Array(60_000)));
    const other = await net.run(net.node('A').connect(net.address('C'), { hops: 2, gateway }));
    net.node('C').serve('/stop/1', (stream) => {
      stream.pause();
      stream.attach({});
    });
    const also = await net.run(other.openStream('/stop/1'));
    also.attach({});
    while (also.write(new Uint8Array(60_000)));
    await net.settle(1000);
    net.world.network.silence(net.host('B'), net.host('D'), 20_000);
    expect(await time()).toBeLessThanOrEqual(alone + 1);
    expect(net.node('B').status().relayMemory.takenBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });
});
