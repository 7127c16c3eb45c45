import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection, NodeOptions, RegistrationStatus } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/**
 * E can only dial out, and is reached through R; B and C relay, too:
 *
 *     A ── B ── C ── R ── E
 */
async function atRelay(seed: number, options: Partial<NodeOptions['relay']> = {}): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(['A', 'B', 'C']);
  await net.start('R', '10.20.0.1', { relay: { ...options } });
  await net.start('E', '10.30.0.1', { listen: [], relay: { registerWith: [net.address('R')] } });
  serveEcho(net.node('E'));
  await net.connect('A', 'B');
  await net.connect('B', 'C');
  await net.settle(1000);
  return net;
}

const registration = (net: TestNetwork): RegistrationStatus => net.node('E').status().registrations[0] as RegistrationStatus;
const address = (net: TestNetwork): string => `${net.node('E').peerId}@${net.address('R')}`;

/** Waits until E is registered; in how many milliseconds that was. */
async function registered(net: TestNetwork, withinMs = 120_000): Promise<number> {
  const { clock } = net.world;
  const from = clock.now();
  await clock.run({ until: () => registration(net).state === 'registered', untilMs: from + withinMs });
  expect(registration(net)).toMatchObject({ state: 'registered', error: undefined });
  return clock.now() - from;
}

function reach(net: TestNetwork, hops?: number): Promise<Connection> {
  return net.run(net.node('A').connect(address(net), hops === undefined ? {} : { hops }));
}

describe('R9 a peer that can only dial out', () => {
  test.each([2, 3, 4])('is reached over %i hops: the last one is its relay, those before are any', async (hops) => {
    const net = await atRelay(1);
    expect(registration(net)).toEqual({ relay: net.node('R').peerId, address: address(net), state: 'registered', error: undefined });
    expect(net.node('R').status().registeredPeers).toEqual([net.node('E').peerId]);
    const heard = net.overhear();
    const connection = await reach(net, hops);
    expect(connection).toMatchObject({ kind: 'relayed', authenticated: true, peerId: net.node('E').peerId });
    const asked = heard.flatMap(({ node, message }) => (message.type === 'relay-create' ? [`${node} ${message.hopsLeft}`] : []));
    expect(asked).toEqual({ 2: ['R 1', 'E 0'], 3: ['B 2', 'R 1', 'E 0'], 4: ['B 3', 'C 2', 'R 1', 'E 0'] }[hops as 2 | 3 | 4]);
    expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
    // E is nowhere connected but to its relay.
    expect(net.node('E').connections.map(({ kind, remote }) => [kind, net.nameOf(remote.host)])).toEqual([
      ['direct', 'R'],
      ['relayed', 'R'],
    ]);
    await net.close();
  });

  test('is reached without naming any hops through its relay alone', async () => {
    const net = await atRelay(2);
    const connection = await reach(net);
    expect(connection).toMatchObject({ kind: 'relayed', nesting: 1, peerId: net.node('E').peerId });
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    await net.close();
  });

  test('is not reached there unless it has registered: being connected is not enough', async () => {
    const net = await atRelay(3);
    await net.start('F', '10.40.0.1', { listen: [] });
    await net.connect('F', 'R');
    const to = `${net.node('F').peerId}@${net.address('R')}`;
    for (const hops of [2, 3]) expect((await net.failure(net.node('A').connect(to, { hops }))).code).toBe('relay.destination-unreachable');
    await net.close();
  });

  test('takes it back while it serves nothing, and when it closes', async () => {
    const net = await atRelay(4);
    net.node('E').setRelayEnabled(false);
    await net.settle();
    expect([registration(net).state, net.node('R').status().registeredPeers]).toEqual(['off', []]);
    expect((await net.failure(net.node('A').connect(address(net)))).code).toBe('relay.destination-unreachable');
    net.node('E').setRelayEnabled(true);
    await registered(net, 1000);
    await reach(net);
    await net.run(net.node('E').close());
    await net.settle();
    expect(net.node('R').status().registeredPeers).toEqual([]);
    await net.close();
  });

  test('stays registered when the way to its relay breaks', async () => {
    const net = await atRelay(5);
    const connection = await reach(net, 3);
    const heard = net.overhear();
    net.world.network.cut(net.host('R'), net.host('E'));
    await net.settle(2000);
    expect(heard.filter(({ message }) => message.type === 'relay-register')).toEqual([]);
    expect(registration(net).state).toBe('registered');
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    await reach(net);
    await net.close();
  });

  test('registers again with a relay that has started anew, for as long as that takes', async () => {
    const net = await atRelay(6);
    const identity = net.node('R').identity;
    const states: string[] = [];
    net.node('E').on('registration', ({ state, error }) => states.push(error === undefined ? state : `${state} ${error}`));
    net.world.network.crash(net.host('R'));
    await net.settle(300_000);
    expect(registration(net)).toMatchObject({ state: expect.stringMatching(/waiting|connecting/), error: 'transport.dial-failed' });
    expect((await net.failure(net.node('A').connect(address(net), { hops: 3 }))).code).toBe('relay.destination-unreachable');
    await net.start('R', net.host('R'), { identity });
    expect(await registered(net)).toBeLessThanOrEqual(65_000);
    await reach(net, 3);
    // Its pauses grow: it has not knocked all the time.
    expect(states.filter((state) => state.startsWith('connecting')).length).toBeLessThan(20);
    await net.close();
  });

  test('comes back by itself to a relay that was switched off for a while', async () => {
    const net = await atRelay(7);
    net.node('R').setRelayEnabled(false);
    await net.settle();
    expect(registration(net)).toMatchObject({ state: 'waiting', error: 'relay.disabled' });
    net.node('R').setRelayEnabled(true);
    await registered(net);
    await reach(net);
    await net.close();
  });

  test('hears why a relay does not take it, and comes again later', async () => {
    const net = await atRelay(8, { maxRegistrations: 1 });
    await net.start('F', '10.40.0.1', { listen: [], relay: { registerWith: [net.address('R')] } });
    await net.settle(1000);
    const status = (): RegistrationStatus => net.node('F').status().registrations[0] as RegistrationStatus;
    expect(status()).toMatchObject({ state: 'waiting', error: 'relay.busy' });
    await net.run(net.node('E').close());
    await net.settle(130_000);
    expect(status()).toMatchObject({ state: 'registered', error: undefined });
    await net.close();
  });

  test('goes on over another hop when one before its relay dies', async () => {
    const net = await atRelay(9);
    await net.start('X', '10.50.0.1');
    await net.connect('B', 'X');
    const connection = await reach(net, 4);
    const middle = net.events.find(({ event, node }) => event === 'opened' && (node === 'C' || node === 'X'))?.node as string;
    const echoed = echo(connection, 2_000_000);
    net.world.clock.after(50, () => void net.world.network.crash(net.host(middle)));
    expect(intact(await net.run(echoed))).toBe(true);
    await net.close();
  });
});
