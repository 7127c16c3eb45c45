import { describe, expect, test } from 'vitest';
import type { FaultPlan } from './fault-plan.ts';
import { Faults } from './faults.ts';
import { Network } from './network.ts';
import { type Plan, drawPlan } from './plan.ts';

const PLAN: Plan = { ...drawPlan(1, { maxFaults: 0 }), nodes: 3, paths: [], realCrypto: false, timersLateMs: undefined };

/** Three nodes that are connected, and what `faults` did to them within ten seconds. */
async function after(
  ...faults: readonly FaultPlan[]
): Promise<{ readonly network: Network; readonly happened: number; readonly reports: string[] }> {
  const network = new Network(PLAN);
  await network.world.run(network.start().then(() => network.meet()));
  const reports: string[] = [];
  const injected = new Faults(network, PLAN.nodes, (violation) => reports.push(violation));
  injected.inject(faults);
  await network.world.clock.advance(10_000);
  return { network, happened: injected.happened, reports };
}

describe('faults', () => {
  test('cut a link, at once', async () => {
    const { network, happened } = await after({
      kind: 'cut',
      atMs: 100,
      which: 0.5,
      cut: { toldMs: { dialler: Number.POSITIVE_INFINITY } },
    });
    expect(happened).toBe(1);
    expect(network.world.network.wires().filter(({ severed }) => severed).length).toBe(1);
  });

  test('cut a link after some more bytes, and do not count where these never come', async () => {
    const cut = (bytes: number): FaultPlan => ({ kind: 'cut', atMs: 100, which: 0, after: { side: 'dialler', bytes }, cut: {} });
    expect((await after(cut(1_000_000))).happened).toBe(0);
    const soon = new Network(PLAN);
    await soon.world.run(soon.start().then(() => soon.meet()));
    const injected = new Faults(soon, PLAN.nodes, () => {});
    injected.inject([cut(10)]);
    await soon.world.clock.advance(200);
    const wire = soon.world.network.wires()[0]!;
    const dialler = soon.nodes.find((_, number) => `10.${number + 1}.0.1` === wire.dialler.host)!;
    dialler.setRelayEnabled(false);
    await soon.world.clock.advance(1000);
    expect([injected.happened, wire.severed]).toEqual([1, true]);
  });

  test('cut the links that are opened later under a byte', async () => {
    const network = new Network(PLAN);
    await network.world.run(network.start());
    const injected = new Faults(network, PLAN.nodes, () => {});
    // In the request of the second handshake.
    injected.inject([{ kind: 'cut-at-byte', wire: 2, cut: { at: { side: 'dialler', byte: 700 } } }]);
    const meeting = network.meet().then(
      () => 'met',
      (error: unknown) => (error as { code: string }).code,
    );
    expect(await network.world.run(meeting)).toMatch(/^(?:transport|session)\./);
    expect(injected.happened).toBe(1);
  });

  test('let a link die without a word', async () => {
    const { network, happened } = await after({ kind: 'half-open', atMs: 100, which: 0.99, sides: ['dialler', 'listener'] });
    expect(happened).toBe(1);
    expect(network.world.network.wires().length).toBe(3);
  });

  test('crash a node, once at a time, and start it again as who it was', async () => {
    const crash: FaultPlan = { kind: 'crash', atMs: 1000, node: 1, downMs: 2000, toldMs: 0 };
    const { network, happened, reports } = await after(crash, { ...crash, atMs: 2000 });
    expect([happened, reports]).toEqual([1, []]);
    expect(network.runs(1)).toBe(true);
    const [, before] = (await after()).network.nodes;
    expect(network.node(1).status()).toMatchObject({ peerId: before?.peerId, listening: ['10.2.0.1:999'] });
    // And connects to the others again.
    expect(network.node(1).connections.map(({ role }) => role)).toEqual(['initiator', 'initiator']);
  });

  test('split the network, if there are nodes on both sides', async () => {
    const split = (...nodes: readonly number[]): FaultPlan => ({ kind: 'partition', atMs: 100, nodes, durationMs: 500 });
    expect((await after(split(1))).happened).toBe(1);
    expect((await after(split(), split(0, 1, 2))).happened).toBe(0);
  });
});
