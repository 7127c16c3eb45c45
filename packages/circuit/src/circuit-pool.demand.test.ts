import { SimulatedClock } from '@matryoshka/simulation';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { identityOf } from '../test/descriptors.ts';
import type { CircuitFactory, CircuitFactoryParts } from './build/circuit-factory.ts';
import { CircuitPool } from './circuit-pool.ts';
import type { Circuit } from './circuit.ts';
import { MemoryDirectory } from './directory/memory-directory.ts';
import { ComposedPolicy } from './policy/composed-policy.ts';

const DEMAND_MS = 600_000;
const SWEEP_MS = 10_000;
const signal = new AbortController().signal;

/** A pool that keeps one circuit ready, in a network where only the first one can be built. */
class World {
  readonly clock = new SimulatedClock();
  readonly pool: CircuitPool;
  /** How builds after the first one end: at once, or when they are given up. */
  readonly #fail: 'at once' | 'never';
  builds = 0;
  building = 0;

  constructor(fail: 'at once' | 'never') {
    this.#fail = fail;
    const factory = { build: (_: unknown, given: AbortSignal) => this.#build(given) } as unknown as CircuitFactory;
    const parts = { host: { clock: this.clock }, directory: new MemoryDirectory(this.clock), policy: new ComposedPolicy() };
    this.pool = new CircuitPool(factory, parts as unknown as CircuitFactoryParts, { ready: 1, maxAgeMs: 600_000, maxBytes: 0 });
  }

  /** Somebody asks for the circuit, and needs it no more. */
  async ask(): Promise<void> {
    const request = { relays: 2, self: { peerId: identityOf(1).peerId, endpoints: [] }, canDial: () => true };
    const source = this.pool.source({ request });
    source.release(await source.take(undefined, signal));
  }

  #build(given: AbortSignal): Promise<Circuit> {
    if (this.builds++ === 0) {
      return Promise.resolve({ hops: [], usable: true, bytes: 0, builtAtMs: this.clock.now(), close: () => {} } as unknown as Circuit);
    }
    if (this.#fail === 'at once') return Promise.reject(new MatryoshkaError('circuit.no-path'));
    this.building++;
    return new Promise((_, reject) => {
      given.addEventListener('abort', () => {
        this.building--;
        reject(new MatryoshkaError('aborted'));
      });
    });
  }
}

describe('the demand for circuits', () => {
  test('ends although no circuit is left and none can be built: no further one is begun', async () => {
    const world = new World('at once');
    await world.ask();
    await world.clock.advance(DEMAND_MS + SWEEP_MS);
    const { builds } = world;
    expect(builds).toBeGreaterThan(5);
    await world.clock.advance(10 * DEMAND_MS);
    expect(world.builds).toBe(builds);
    expect(world.clock.pending).toBe(0);
  });

  test('ends with the circuit that is being built for it', async () => {
    const world = new World('never');
    await world.ask();
    await world.clock.advance(DEMAND_MS);
    expect(world.building).toBe(1);
    await world.clock.advance(SWEEP_MS + 1);
    expect(world.building).toBe(0);
    expect(world.builds).toBe(2);
    expect(world.clock.pending).toBe(0);
  });

  test('is forgotten when the pool closes', async () => {
    const world = new World('never');
    await world.ask();
    world.pool.close();
    expect(world.building).toBe(0);
    await world.clock.advance(0);
    expect(world.clock.pending).toBe(0);
  });
});
