import { afterEach, describe, expect, test, vi } from 'vitest';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

const NONE = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };

describe('R16 limits of a relay', () => {
  test('slow a connection down, are seen by who opened it, and change while it is open', async () => {
    const net = new TestNetwork(1);
    await net.startAll(['A', 'C']);
    await net.start('B', '10.9.0.1', { relay: { enabled: true, allowDial: ['private'], limits: { link: { bytesPerSecond: 100_000 } } } });
    serveEcho(net.node('C'));
    await net.connect('A', 'B');
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    expect(connection.limits).toEqual({ ...NONE, bytesPerSecond: 100_000 });
    expect(
      net
        .node('A')
        .status()
        .connections.map(({ limits }) => limits),
    ).toEqual([undefined, { ...NONE, bytesPerSecond: 100_000 }]);
    expect(net.node('C').connections.every(({ limits }) => limits === undefined)).toBe(true);
    const from = net.world.clock.now();
    // There and back again.
    expect(intact(await net.run(echo(connection, 200_000)))).toBe(true);
    expect(net.world.clock.now() - from).toBeGreaterThan(3500);
    net.node('B').updateRelayLimits({ link: { bytesPerSecond: 0 } });
    const then = net.world.clock.now();
    expect(intact(await net.run(echo(connection, 200_000)))).toBe(true);
    expect(net.world.clock.now() - then).toBeLessThan(500);
    expect(() => net.node('B').updateRelayLimits({ peer: { links: -1 } })).toThrow(
      'relay.limits.peer.links: must be a whole number from 0 to 4294967295, not -1',
    );
    await net.close();
  });

  test('at the end of one link the session goes on over another one, and nothing is lost', async () => {
    const net = new TestNetwork(2);
    await net.startAll(['A', 'C']);
    await net.start('B', '10.9.0.1', {
      relay: { enabled: true, allowDial: ['private'], limits: { link: { maxBytes: 300_000, maxAgeMs: 5000 } } },
    });
    serveEcho(net.node('C'));
    await net.connect('A', 'B');
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    let suspended = 0;
    net.node('A').on('suspended', ({ reason }) => {
      expect(reason.code).toBe('relay.limit');
      suspended++;
    });
    expect(intact(await net.run(echo(connection, 1_000_000)))).toBe(true);
    expect(suspended).toBeGreaterThanOrEqual(6);
    const before = suspended;
    await net.settle(5500);
    expect(suspended).toBeGreaterThan(before);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });
});
