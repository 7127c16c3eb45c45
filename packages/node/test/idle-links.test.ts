import { describe, expect, test } from 'vitest';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

const SMALLEST = 2048;

describe('a relayed connection that is idle', () => {
  test('holds the smallest windows on its way, and asks for more when it is used again: one round trip of each hop', async () => {
    const net = new TestNetwork(1);
    await net.startAll(['A', 'B', 'C', 'D']);
    serveEcho(net.node('D'));
    await net.connect('A', 'B');
    await net.connect('B', 'C');
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const timed = async (): Promise<number> => {
      const from = net.world.clock.now();
      expect(intact(await net.run(echo(connection, 600_000)))).toBe(true);
      return net.world.clock.now() - from;
    };
    const first = await timed();
    await net.settle(5000);
    const taken = Object.values(net.holdings()).map(({ takenBytes }) => takenBytes);
    expect(taken).toEqual([SMALLEST, 2 * SMALLEST, 2 * SMALLEST, SMALLEST]);
    // Of 10 ms each, there and back.
    expect(await timed()).toBeLessThan(first + 6 * 10 + 25);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test.each([0, 2500])('loses nothing where a connection under it breaks, %d ms after it was used', async (idleMs) => {
    const net = new TestNetwork(2);
    await net.startAll(['A', 'B', 'C']);
    serveEcho(net.node('C'));
    await net.connect('A', 'B');
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    for (let i = 0; i < 6; i++) {
      const transfer = echo(connection, 150_000, i);
      // oxlint-disable-next-line no-await-in-loop
      await net.settle(30 + 7 * i);
      net.world.network.cut(net.host('B'), net.host(i % 2 === 0 ? 'A' : 'C'));
      // oxlint-disable-next-line no-await-in-loop
      expect(intact(await net.run(transfer))).toBe(true);
      // oxlint-disable-next-line no-await-in-loop
      await net.settle(idleMs);
      net.world.network.cut(net.host('B'), net.host(i % 2 === 0 ? 'C' : 'A'));
    }
    await net.settle(5000);
    expect(Object.values(net.holdings()).map(({ takenBytes }) => takenBytes)).toEqual([SMALLEST, 2 * SMALLEST, SMALLEST]);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });
});
