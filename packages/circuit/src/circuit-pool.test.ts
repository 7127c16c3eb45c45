import { describe, expect, test } from 'vitest';
import { NOW_UNIX_MS, descriptorOf } from '../test/descriptors.ts';
import { FakeHost, hopOf } from '../test/fake-circuits.ts';
import type { CircuitFactory, CircuitFactoryParts } from './build/circuit-factory.ts';
import { CircuitPool } from './circuit-pool.ts';
import type { Circuit, Hop } from './circuit.ts';
import type { CircuitSource } from './circuit-route.ts';
import { MemoryDirectory } from './directory/memory-directory.ts';
import { ComposedPolicy } from './policy/composed-policy.ts';

const signal = new AbortController().signal;

/** A pool whose circuits are all over the relays 1 and 2. */
class World {
  readonly host = new FakeHost();
  readonly directory = new MemoryDirectory({ unixMs: () => NOW_UNIX_MS });
  readonly pool: CircuitPool;
  builds = 0;
  /** So many builds succeed. */
  buildable = Infinity;

  constructor(ready = 0) {
    for (const seed of [1, 2]) this.directory.publish(descriptorOf(seed));
    const factory = {
      build: () => {
        this.builds++;
        return this.builds <= this.buildable ? this.host.circuit(hopOf(1), hopOf(2)) : Promise.reject(new Error('nobody is there'));
      },
    } as unknown as CircuitFactory;
    const parts = { host: this.host, directory: this.directory, policy: new ComposedPolicy() } as unknown as CircuitFactoryParts;
    this.pool = new CircuitPool(factory, parts, { ready, maxAgeMs: 600_000, maxBytes: 0 });
  }

  /** Circuits of one user, who is to be reached behind this relay. */
  source(behind?: Hop): CircuitSource {
    const self = { peerId: this.host.peerId, endpoints: [] };
    return this.pool.source({
      request: {
        relays: 2,
        self,
        canDial: () => true,
        ...(behind !== undefined && { destination: { peerId: behind.peerId, endpoints: [] } }),
      },
      isolation: 'one',
      ...(behind !== undefined && { behind }),
    });
  }
}

const ends = (circuit: Circuit): Hop['peerId'][] => circuit.hops.slice(2).map(({ peerId }) => peerId);

describe('circuits that users with one key share', () => {
  const [r, other] = [hopOf(3), hopOf(4)];

  test('one that ends at the relay of a far end is for those behind the same relay alone', async () => {
    const world = new World();
    const first = await world.source(r).take(undefined, signal);
    expect(ends(first)).toEqual([r.peerId]);
    expect(await world.source(r).take(undefined, signal)).toBe(first);
    expect(ends(first)).toEqual([r.peerId]);
    const direct = await world.source().take(undefined, signal);
    expect(ends(direct)).toEqual([]);
    expect(ends(await world.source(other).take(undefined, signal))).toEqual([other.peerId]);
    expect(world.builds).toBe(3);
  });

  test('one in use is not extended, since its users open through its last hop; one that waits is', async () => {
    const world = new World();
    const direct = await world.source().take(undefined, signal);
    expect(await world.source(r).take(undefined, signal)).not.toBe(direct);
    expect(ends(direct)).toEqual([]);
    world.source().release(direct);
    expect(await world.source(other).take(undefined, signal)).toBe(direct);
    expect(ends(direct)).toEqual([other.peerId]);
  });

  test('nobody else takes one while it is extended', async () => {
    const world = new World();
    const idle = await world.source().take(undefined, signal);
    world.source().release(idle);
    const gate = Promise.withResolvers<void>();

    world.host.gate = gate.promise;
    const extended = world.source(r).take(undefined, signal);
    const others = [
      world.source().take(undefined, signal),
      world.source(r).take(undefined, signal),
      world.source(other).take(undefined, signal),
    ];
    gate.resolve();
    expect(await extended).toBe(idle);
    expect(ends(idle)).toEqual([r.peerId]);
    expect((await Promise.all(others)).map(ends)).toEqual([[], [r.peerId], [other.peerId]]);
  });

  test('one that could not be extended is as good as before', async () => {
    const world = new World();
    const idle = await world.source().take(undefined, signal);
    world.source().release(idle);
    world.host.failing = true;
    await expect(world.source(r).take(undefined, signal)).rejects.toMatchObject({ code: 'circuit.extend-failed' });
    expect(world.pool.circuits).toMatchObject([{ circuit: idle, users: 0 }]);
    expect(await world.source().take(undefined, signal)).toBe(idle);
  });
});

test('while no circuit can be built ahead, news of relays does not make it try more often', async () => {
  const world = new World(1);
  world.buildable = 1;
  await world.source().take(undefined, signal);
  for (let seed = 10; seed < 130; seed++) {
    world.directory.publish(descriptorOf(seed));
    // oxlint-disable-next-line no-await-in-loop
    await world.host.clock.advance(1_000);
  }
  // After 0, 1, 3, 7, 15, 31, 63 seconds and so on.
  expect(world.builds).toBeGreaterThan(5);
  expect(world.builds).toBeLessThanOrEqual(9);
  world.pool.close();
});
