import type { LinkAttempt } from '@matryoshka/peer';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { FakeHost, hopOf } from '../test/fake-circuits.ts';
import type { Circuit, Fault } from './circuit.ts';
import { CircuitRoute } from './circuit-route.ts';

const FIRST: LinkAttempt = { reason: undefined, first: new Uint8Array(0), session: undefined };
const AGAIN: LinkAttempt = { ...FIRST, reason: new MatryoshkaError('session.link-lost'), session: 's1' };
const signal = new AbortController().signal;
const end = hopOf(9).peerId;

/** A route over circuits that are taken in turn, and how often each is held. */
async function setUp(count: number): Promise<{
  readonly route: CircuitRoute;
  readonly circuits: readonly Circuit[];
  readonly users: () => number[];
  readonly faults: Fault[];
  open: () => Promise<Link>;
}> {
  const host = new FakeHost();
  const circuits = await Promise.all(Array.from({ length: count }, () => host.circuit(hopOf(1), hopOf(2))));
  const held = new Map(circuits.map((circuit) => [circuit, 0]));
  const faults: Fault[] = [];
  const change = (circuit: Circuit, by: number): void => void held.set(circuit, (held.get(circuit) as number) + by);
  const route = new CircuitRoute(
    {
      take: (broken) => {
        const taken = circuits.find((circuit) => circuit !== broken) as Circuit;
        change(taken, 1);
        return Promise.resolve(taken);
      },
      release: (circuit) => change(circuit, -1),
      failed: (fault) => void faults.push(fault),
    },
    { peerId: end, open: () => world.open() },
  );
  const world = { route, circuits, faults, users: () => [...held.values()], open: () => Promise.resolve({} as Link) };
  return world;
}

describe('a route over circuits', () => {
  test('holds each circuit once, however often it comes back to it', async () => {
    const world = await setUp(2);
    const { route, users } = world;
    route.use(await route.next(FIRST, signal));
    expect(users()).toEqual([1, 0]);
    world.open = () => Promise.reject(new MatryoshkaError('session.timeout'));
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 0; i < 6; i++) await expect(route.next(AGAIN, signal)).rejects.toThrow();
    expect(Math.max(...users())).toBe(1);
    world.open = () => Promise.resolve({} as Link);
    route.use(await route.next(AGAIN, signal));
    expect(users().toSorted((a, b) => a - b)).toEqual([0, 1]);
    route.close();
    expect(users()).toEqual([0, 0]);
  });

  test.each<[string, MatryoshkaError, number]>([
    ['that its user gave up has failed nobody, and stays', new MatryoshkaError('aborted'), 0],
    ['that took too long has failed between the last relay and the far end', new MatryoshkaError('session.timeout'), 1],
  ])('an attempt %s', async (_what, reason, failures) => {
    const world = await setUp(2);
    const controller = new AbortController();
    world.open = () => {
      controller.abort(reason);
      return Promise.reject(new MatryoshkaError('aborted'));
    };
    await expect(world.route.next(FIRST, controller.signal)).rejects.toThrow();
    expect(world.faults).toEqual(Array.from({ length: failures }, () => ({ from: hopOf(2).peerId, to: end })));
    // Another circuit is asked next only where this one may be to blame.
    expect(await world.route.prepare(signal)).toBe(world.circuits[failures]);
  });
});
