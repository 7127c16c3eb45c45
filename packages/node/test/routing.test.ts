import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Candidate, type MatryoshkaError, type NodeOptions, type RoutingPolicy, routing } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

// Routing policies in whole nodes: what they are told is measured, and what they cannot do.

let net: TestNetwork;
afterEach(async () => {
  vi.restoreAllMocks();
  await net.close();
});

/** A asks B, which is connected to C, D and E, for F over three hops: B chooses. */
async function choice(seed: number, policy: RoutingPolicy, options: Partial<NodeOptions['relay'] & object> = {}): Promise<void> {
  net = new TestNetwork(seed, { provider: simulatedProvider(), latencyMs: 5 });
  for (const [i, name] of ['A', 'C', 'D', 'E', 'F'].entries()) await net.start(name, `10.${i + 1}.0.1`);
  const tags = { [net.node('C').peerId]: ['operator:ann'], [net.node('F').peerId]: ['operator:ann'], [net.node('E').peerId]: ['slow'] };
  await net.start('B', '10.9.0.1', { relay: { policy, tags, ...options } });
  serveEcho(net.node('F'));
  const { network } = net.world;
  for (const [name, latencyMs] of [
    ['C', 5],
    ['D', 40],
    ['E', 80],
  ] as const)
    network.setPath(net.host('B'), net.host(name), { latencyMs });
  await net.connect('B', 'C', 'D', 'E');
  await net.connect('A', 'B');
}

/** Whom B has chosen for A's connection. */
async function chosen(): Promise<string | undefined> {
  const before = net.events.length;
  const connection = await net.run(net.node('A').connect(net.address('F'), { hops: 3, gateway: net.address('B') }));
  expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
  const carried = net.events.slice(before).filter(({ event, node }) => event === 'opened' && node !== 'B');
  await connection.close();
  await net.settle();
  return carried[0]?.node;
}

describe('R4 a routing policy', () => {
  test('lowest latency: what was measured on the connections, from their handshakes on', async () => {
    await choice(1, routing.all(routing.lowestLatency()));
    expect([await chosen(), await chosen()]).toEqual(['C', 'C']);
  });

  test('distinct operators: not C, which is run by whoever runs the destination; slow ones only if there is nobody else', async () => {
    await choice(2, routing.all(routing.distinctOperators, routing.prefer(routing.exclude(routing.tagged('slow')))));
    expect([await chosen(), await chosen()]).toEqual(['D', 'D']);
  });

  test('is told what each candidate has carried, how many links it has, and for how long it is connected', async () => {
    const seen: Candidate[][] = [];
    await choice(3, {
      selectNextHop: (_request, candidates) => {
        seen.push(structuredClone([...candidates]));
        return candidates.toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond)[0];
      },
    });
    await net.settle(5000);
    serveEcho(net.node('D'));
    const busy = net.node('B').connections.find(({ peerId }) => peerId === net.node('D').peerId);
    if (busy === undefined) throw new RangeError('B is connected to D');
    expect(intact(await net.run(echo(busy, 3_000_000)))).toBe(true);
    await net.settle(2000);
    expect(await chosen()).toBe('D');
    const [first] = seen as [Candidate[]];
    const byName = new Map(first.map((candidate) => [net.nameOf(candidate.peerId), candidate]));
    expect(byName.get('C')?.roundTripMs).toBeLessThan(25);
    expect(byName.get('E')?.roundTripMs).toBeGreaterThan(150);
    expect(byName.get('D')?.bytesPerSecond).toBeGreaterThan(100_000);
    expect(byName.get('C')?.bytesPerSecond).toBeLessThan(10_000);
    for (const { ageMs, links, networks } of first) expect([ageMs > 7000, links, networks.length]).toEqual([true, 0, 1]);
  });

  test('that throws, or chooses whom it was not offered, costs that request, not the relay; its node is told', async () => {
    let select: RoutingPolicy['selectNextHop'] = () => expect.fail('no idea');
    await choice(4, { selectNextHop: (...question) => select(...question) });
    const failures: string[] = [];
    net.node('B').on('policyFailed', ({ error }: { readonly error: MatryoshkaError }) => failures.push(error.message));
    const connect = (): Promise<unknown> => net.node('A').connect(net.address('F'), { hops: 3, gateway: net.address('B') });
    expect(await net.failure(connect())).toMatchObject({ code: 'relay.no-peers-available', afterMs: expect.any(Number) });
    select = () => ({ peerId: net.node('A').peerId }) as Candidate;
    expect((await net.failure(connect())).code).toBe('relay.no-peers-available');
    expect(failures).toEqual([expect.stringContaining('threw: no idea'), expect.stringContaining('must return one of the candidates')]);
    select = routing.randomNextHop.selectNextHop;
    expect(['C', 'D', 'E']).toContain(await chosen());
    expect(net.holdings()['B']).toMatchObject({ linkEnds: 0, forwarded: 0 });
  });

  test('on one’s own gateway: the failure is what connecting fails with', async () => {
    net = new TestNetwork(5, { provider: simulatedProvider() });
    await net.startAll(['B', 'C']);
    await net.start('A', '10.8.0.1', { relay: { policy: { selectNextHop: () => expect.fail('no idea') } } });
    await net.connect('A', 'B');
    expect((await net.failure(net.node('A').connect(net.address('C'), { hops: 2 }))).code).toBe('relay.policy-failed');
  });

  test('whatever is composed of the ready ones, the exclusions hold', async () => {
    const { all, distinctOperators, exclude, lowestLatency, prefer, tagged, weightedByBandwidth } = routing;
    const random = seededRandom(6);
    let policy: RoutingPolicy = weightedByBandwidth;
    await choice(6, { selectNextHop: (request, candidates) => policy.selectNextHop(request, candidates, random) });
    // In the network of A, who asks, and of F, the destination.
    for (const [name, host] of [
      ['X', '10.1.7.7'],
      ['Y', '10.5.7.7'],
    ] as const) {
      await net.start(name, host);
      await net.connect('B', name);
    }
    for (policy of [weightedByBandwidth, lowestLatency({ choices: 9 }), prefer(exclude(tagged('slow'))), all(distinctOperators)])
      for (let i = 0; i < 4; i++) expect(['C', 'D', 'E']).toContain(await chosen());
  });
});
