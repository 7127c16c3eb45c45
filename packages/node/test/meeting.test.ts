import { describe, expect, test } from 'vitest';
import type { Connection } from '../src/index.ts';
import { networkOf } from './circuits.ts';
import { type TestNetwork, echo, intact, sample, serveEcho } from './network.ts';

const TOKEN = sample(32);

/** A and Y, who both know of R1 to R6, of which R6 is where they meet. */
async function two(seed: number): Promise<TestNetwork> {
  const net = await networkOf(seed, 6, { circuits: { ready: 0 } });
  await net.start('Y', '10.210.0.1', { relay: { enabled: false }, circuits: { ready: 0 } });
  for (const descriptor of net.node('A').directory.list()) net.node('Y').directory.publish(descriptor);
  for (const name of ['A', 'Y']) serveEcho(net.node(name));
  return net;
}

const meet = (net: TestNetwork, name: string, more: object = {}): Promise<Connection> =>
  net.node(name).meet(TOKEN, { relay: net.node('R6').peerId, circuit: { hops: 3 }, ...more });

describe('two who meet at a relay (docs/protocol.md §8.7)', () => {
  test('whoever comes first answers, the other one begins; bytes go both ways', async () => {
    const net = await two(1);
    const first = meet(net, 'Y');
    await net.settle(2_000);
    const [begun, answered] = await net.run(Promise.all([meet(net, 'A'), first]));
    expect([begun.role, answered.role]).toEqual(['initiator', 'responder']);
    // Whoever answers shows who it is; the other one did not want to.
    expect([net.nameOf(begun.peerId), answered.peerId]).toEqual(['Y', undefined]);
    expect(intact(await net.run(echo(begun, 200_000)))).toBe(true);
    expect(intact(await net.run(echo(answered, 200_000)))).toBe(true);
    await net.run(begun.close());
    await net.settle(40_000);
    expect(answered.open).toBe(false);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('the relay learns neither of the two, nor does either learn where the other is', async () => {
    const net = await two(2);
    const [a, y] = await net.run(Promise.all([meet(net, 'A', { anonymous: false }), meet(net, 'Y', { anonymous: false })]));
    expect([net.nameOf(a.peerId), net.nameOf(y.peerId)]).toEqual(['Y', 'A']);
    const told = JSON.stringify([net.node('R6').status(), net.events.filter(({ node }) => node === 'R6')]);
    for (const name of ['A', 'Y']) {
      expect(told).not.toContain(net.node(name).peerId);
      expect(told).not.toContain(`${net.host(name)}:`);
    }
    expect(net.nameOf(a.remote.host)).not.toBe('Y');
    expect(net.nameOf(y.remote.host)).not.toBe('A');
    await net.close();
  });

  test('nobody comes: after 60 s that is said, and nothing stays', async () => {
    const net = await two(3);
    const { afterMs, code } = await net.failure(meet(net, 'A'));
    expect(code).toBe('relay.nobody-met');
    expect(afterMs).toBeGreaterThan(60_000);
    expect(afterMs).toBeLessThan(62_000);
    await net.settle(40_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a token is good once: a third one waits, and so does one with another token', async () => {
    const net = await two(4);
    await net.run(Promise.all([meet(net, 'A'), meet(net, 'Y')]));
    expect((await net.failure(meet(net, 'A'))).code).toBe('relay.nobody-met');
    const others = Promise.allSettled([
      meet(net, 'A'),
      net.node('Y').meet(sample(32, 2), { relay: net.node('R6').peerId, circuit: { hops: 3 } }),
    ]);
    expect((await net.run(others)).map((each) => each.status === 'rejected' && (each.reason as { code: string }).code)).toEqual([
      'relay.nobody-met',
      'relay.nobody-met',
    ]);
    await net.close();
  });

  test('whoever is not who it should be is left', async () => {
    const net = await two(5);
    const wanted = net.node('R1').peerId;
    const results = await net.run(Promise.allSettled([meet(net, 'A', { peer: wanted }), meet(net, 'Y')]));
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'session.wrong-peer' } });
    const good = await net.run(
      Promise.all([
        meet(net, 'A', { peer: net.node('Y').peerId, anonymous: false }),
        meet(net, 'Y', { peer: net.node('A').peerId, anonymous: false }),
      ]),
    );
    expect(good.map(({ authenticated }) => authenticated)).toEqual([true, true]);
    await net.close();
  });

  test('the relay dies: both sides end with a reason', async () => {
    const net = await two(6);
    const both = await net.run(Promise.all([meet(net, 'A'), meet(net, 'Y')]));
    void net.world.network.crash(net.host('R6'));
    await net.settle(200_000);
    for (const connection of both) {
      expect(connection.open).toBe(false);
      expect((await connection.closed).code).toMatch(/^(?:relay|session)\./);
    }
    await net.close();
  });

  test.each([11, 12, 13])(
    'the relay dies, and further tokens were agreed on: the session goes on there, nothing is lost (seed %i)',
    async (seed) => {
      const net = await two(seed);
      const further = ['R5', 'R4', 'R5', 'R4'].map((relay, at) => ({ relay: net.node(relay).peerId, token: sample(32, 10 + at) }));
      const [a, y] = await net.run(Promise.all([meet(net, 'A', { further }), meet(net, 'Y', { further })]));
      net.world.clock.after(50, () => void net.world.network.crash(net.host('R6')));
      const result = await net.run(echo(a, 3_000_000));
      expect(result.error).toBeUndefined();
      expect(intact(result)).toBe(true);
      expect([a.open, y.open]).toEqual([true, true]);
      await net.run(a.close());
      await net.settle(100_000);
      expect(y.open).toBe(false);
      await net.close();
    },
  );

  test('a hop before the relay dies: the way to the relay is replaced, and nothing is lost', async () => {
    const net = await two(7);
    const [a] = await net.run(Promise.all([meet(net, 'A', { circuit: { hops: 4 } }), meet(net, 'Y')]));
    const way = net
      .node('A')
      .status()
      .circuits.find(({ users }) => users > 0)!;
    net.world.clock.after(50, () => void net.world.network.crash(net.host(net.nameOf(way.hops[1]!.peerId)!)));
    const result = await net.run(echo(a, 3_000_000));
    expect(result.error).toBeUndefined();
    expect(intact(result)).toBe(true);
    await net.close();
  });

  test('a token of another length, and a relay that does not forward, are refused', async () => {
    const net = await two(8);
    const { code } = await net.failure(net.node('A').meet(new Uint8Array(31), { relay: net.node('R6').peerId }));
    expect(code).toBe('config.invalid');
    const short = [{ relay: net.node('R5').peerId, token: new Uint8Array(31) }];
    expect((await net.failure(meet(net, 'A', { further: short }))).code).toBe('config.invalid');
    net.node('R6').setRelayEnabled(false);
    expect(['relay.disabled', 'circuit.extend-failed']).toContain((await net.failure(meet(net, 'A'))).code);
    await net.close();
  });
});
