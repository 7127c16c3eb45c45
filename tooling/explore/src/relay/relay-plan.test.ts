import { describe, expect, test } from 'vitest';
import { type RelayPlan, drawRelayPlan, type RequestPlan, isCalm, isSure, lacksNetworks, tellRelayPlan } from './relay-plan.ts';

const plans: readonly RelayPlan[] = Array.from({ length: 1500 }, (_, i) => drawRelayPlan(i + 1));
const requests = plans.flatMap((plan) => plan.requests);

describe('the plan of a seed', () => {
  test('is the same each time, and another one for another seed', () => {
    expect(drawRelayPlan(5)).toEqual(plans[4]);
    expect(new Set(plans.map((plan) => JSON.stringify({ ...plan, seed: 0 }))).size).toBe(plans.length);
  });

  test('can be kept: who misbehaves asks for nothing, nobody asks for itself, no node is on a path twice', () => {
    for (const plan of plans) {
      const rogues = plan.rogues.map(({ node }) => node);
      for (const { from, to, way } of plan.requests) {
        expect(rogues).not.toContain(from);
        const path = way.kind === 'telescoped' ? [from, ...way.path, to] : [from, to];
        expect(new Set(path).size).toBe(path.length);
        expect(Math.max(...path)).toBeLessThan(plan.nodes);
        if (way.kind === 'relayed' && way.hops === 1) expect(way.gateway).toBeUndefined();
      }
    }
  });

  test('leaves nothing out: 5 to 40 nodes, 1 to 15 hops, circuits, gateways, every vice, calm worlds and wild ones', () => {
    const sizes = plans.map(({ nodes }) => nodes);
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([5, 40]);
    const hops = new Set(requests.flatMap(({ way }) => (way.kind === 'relayed' ? [way.hops] : [])));
    expect([...hops].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    const paths = new Set(requests.flatMap(({ way }) => (way.kind === 'telescoped' ? [way.path.length] : [])));
    expect([...paths].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(requests.some(({ way }) => way.kind === 'relayed' && way.gateway !== undefined)).toBe(true);
    expect(new Set(plans.flatMap(({ rogues }) => rogues.flatMap(({ vices }) => vices))).size).toBe(11);
    for (const some of [isCalm, isSure, (plan: RelayPlan) => plan.rogues.length > 2, (plan: RelayPlan) => plan.faults.length > 2])
      expect(plans.filter(some).length).toBeGreaterThan(50);
    // Nothing may fail in them, so that some of what they have must be able to.
    expect(plans.filter((plan) => isSure(plan) && plan.faults.length > 0).length).toBeGreaterThan(50);
  });

  test('can be of circuits alone, with hops that are hostile', () => {
    const circuits = plans.slice(0, 500).map(({ seed }) => drawRelayPlan(seed, 'circuits'));
    const ways = circuits.flatMap(({ requests: asked }) => asked.map(({ way }) => way));
    expect(new Set(ways.map((way) => (way.kind === 'circuit' ? way.hops : way.kind)))).toEqual(new Set([2, 3, 4, 5]));
    const vices = new Set(circuits.flatMap(({ rogues }) => rogues.flatMap((rogue) => rogue.vices)));
    expect(vices).toEqual(new Set(['drop', 'delay', 'swallow', 'duplicate', 'alter', 'astray', 'impostor']));
    expect(circuits.filter((plan) => isSure(plan) && plan.faults.length > 0).length).toBeGreaterThan(30);
    expect(circuits.some((plan) => plan.circuits.ready > 0)).toBe(true);
  });

  test('a circuit has no path where networks are too few: as many are needed as relays, none of them that of an end', () => {
    const plan = { ...(plans[0] as RelayPlan), nodes: 6, networks: [0, 1, 2, 2, 3, 4], unwilling: [5] };
    const lacks = (hops: number): boolean =>
      lacksNetworks(plan, { ...(plan.requests[0] as RequestPlan), from: 0, to: 1, way: { kind: 'circuit', hops } });
    expect([2, 3, 4, 5].map(lacks)).toEqual([false, false, true, true]);
  });

  test('can be told in a few lines', () => {
    const plan = plans.find(({ rogues, faults, switches }) => rogues.length > 0 && faults.length > 0 && switches.length > 0) as RelayPlan;
    const told = tellRelayPlan(plan);
    expect(told).toContain(`${plan.nodes} nodes, ${plan.shape}: `);
    expect(told).toContain(`node ${plan.rogues[0]?.node} from ${plan.rogues[0]?.fromMs} ms on: ${plan.rogues[0]?.vices.join(', ')}`);
    expect(told.split('\n').length).toBeGreaterThan(4);
  });
});
