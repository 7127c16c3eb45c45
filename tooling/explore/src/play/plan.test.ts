import { describe, expect, test } from 'vitest';
import type { FaultPlan } from './fault-plan.ts';
import { type Plan, drawPlan } from './plan.ts';
import { constantRate } from './traffic-plan.ts';

const plans: readonly Plan[] = Array.from({ length: 2000 }, (_, i) => drawPlan(i + 1, { maxFaults: 4 }));
const faults = plans.flatMap((plan) => plan.faults.map((fault) => ({ fault, plan })));

describe('the plan of a seed', () => {
  test('is the same each time, and another one for another seed', () => {
    expect(drawPlan(5, { maxFaults: 4 })).toEqual(plans[4]);
    expect(new Set(plans.map((plan) => JSON.stringify({ ...plan, seed: 0 }))).size).toBe(plans.length);
  });

  test('can be kept: every connection and path is between nodes that there are, and no node is on a path twice', () => {
    for (const { nodes, connections, transfers } of plans) {
      for (const { from, to, way } of connections) {
        const on = [from, to, ...(way.kind === 'telescoped' ? way.path : [])];
        expect(new Set(on).size).toBe(on.length);
        expect(Math.max(...on)).toBeLessThan(nodes);
        if (way.kind === 'relayed') expect([1, 2, 3, 4].slice(0, nodes - 1)).toContain(way.hops);
      }
      // Who accepted a connection opens streams on it once it knows it.
      for (const connection of connections.keys())
        expect(transfers.find((transfer) => transfer.connection === connection)?.reverse).toBe(false);
    }
  });

  test('leaves nothing out: ways, sizes, nodes, both suites, real cryptography in few', () => {
    const ways = plans.flatMap(({ connections }) => connections.map(({ way }) => way));
    expect(new Set(ways.map(({ kind }) => kind)).size).toBe(3);
    expect(new Set(ways.flatMap((way) => (way.kind === 'relayed' ? way.hops : []))).size).toBe(4);
    expect(new Set(ways.flatMap((way) => (way.kind === 'telescoped' ? way.path.length : []))).size).toBe(3);
    expect(new Set(plans.map(({ nodes }) => nodes)).size).toBe(4);
    expect(new Set(plans.map(({ suite }) => suite)).size).toBe(2);
    const lengths = plans.flatMap(({ transfers }) => transfers.flatMap(({ opener, server }) => [opener.length, server.length]));
    expect(Math.max(...lengths)).toBeGreaterThan(300_000);
    expect(Math.min(...lengths)).toBe(0);
    const real = plans.filter(({ realCrypto }) => realCrypto).length;
    expect(real).toBeGreaterThan(10);
    expect(real).toBeLessThan(70);
  });

  test('draws how traffic looks: every name, padding of each kind, both kinds of cover, changes while streams run', () => {
    const options = plans.flatMap(({ traffic, connections, reshapes }) => [
      ...traffic,
      ...connections.flatMap((connection) => connection.traffic ?? []),
      ...reshapes.map((reshape) => reshape.traffic),
    ]);
    const seen = new Set(
      options.flatMap((option) => {
        if (typeof option === 'string') return [option];
        return [option.padding, option.cover].map((part) => (typeof part === 'object' ? Object.keys(part).join() : String(part)));
      }),
    );
    expect(seen).toEqual(new Set(['plain', 'standard', 'private', 'none', 'padme', 'maxBytes', 'recordBytes', 'meanMs', 'intervalMs']));
    for (const { nodes, connections, reshapes, traffic } of plans) {
      expect(traffic).toHaveLength(nodes);
      for (const { of } of reshapes) expect('node' in of ? of.node < nodes : of.connection < connections.length).toBe(true);
    }
  });

  test('has constant rates only where every link bears several of them, of slow worlds in some', () => {
    let slow = 0;
    for (const { connections, paths, reshapes, traffic } of plans) {
      const slowest = Math.min(...paths.map(({ conditions }) => conditions.bytesPerSecond ?? Number.POSITIVE_INFINITY));
      const all = [...traffic, ...connections.flatMap((each) => each.traffic ?? []), ...reshapes.map((reshape) => reshape.traffic)];
      const fastest = Math.max(...all.map(constantRate));
      expect(4 * fastest).toBeLessThanOrEqual(slowest);
      if (fastest > 0 && slowest < Number.POSITIVE_INFINITY) slow++;
    }
    expect(slow).toBeGreaterThan(0);
  });

  test('has no faults unless asked for, and one at least where it may have some', () => {
    expect(drawPlan(5, { maxFaults: 0 }).faults).toEqual([]);
    // Faults are drawn last: without them everything else is the same.
    expect({ ...drawPlan(5, { maxFaults: 0 }), faults: plans[4]?.faults }).toEqual(plans[4]);
    const counts = plans.map((plan) => plan.faults.length);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([1, 4]);
  });

  test('breaks everything there is to break, in and after handshakes, but never an end of a connection', () => {
    const kinds: readonly FaultPlan['kind'][] = ['cut', 'cut-at-byte', 'half-open', 'crash', 'partition'];
    expect(new Set(faults.map(({ fault }) => fault.kind))).toEqual(new Set(kinds));
    const afterBytes = faults.flatMap(({ fault }) => (fault.kind === 'cut' ? (fault.after?.bytes ?? 0) : []));
    expect(Math.max(...afterBytes)).toBeGreaterThan(90_000);
    const bytes = faults.flatMap(({ fault }) => (fault.kind === 'cut-at-byte' ? (fault.cut.at?.byte ?? 0) : []));
    expect(Math.min(...bytes)).toBeLessThan(1280);
    expect(Math.max(...bytes)).toBeGreaterThan(100_000);
    for (const { fault, plan } of faults) {
      if (fault.kind !== 'crash') continue;
      for (const { from, to } of plan.connections) expect([from, to]).not.toContain(fault.node);
    }
  });
});
