import type { Random } from '@matryoshka/session';
import { seededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { type Latency, SimulatedNetwork } from './simulated-network.ts';

/** Virtual time after which a run is given up, in milliseconds. */
const DEFAULT_DEADLINE_MS = 600_000;

/** What a world is made of. */
export interface WorldOptions {
  /** Everything that happens follows from it. */
  readonly seed: number | bigint;
  /** One-way travel time of messages. Default 0. */
  readonly latencyMs?: Latency;
  /** For how long a listener stays silent to whom it refuses, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
}

/** A whole world with its own time, chance and network, that a seed replays. */
export interface World {
  readonly seed: bigint;
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  /**
   * Lets time pass until `promise` settles, and settles as it does.
   * @throws Error that names the seed when nothing is left to happen or `deadlineMs` of virtual time are over (default
   * 600,000)
   */
  run<T>(promise: Promise<T>, options?: { readonly deadlineMs?: number }): Promise<T>;
}

/** Makes a world. */
export function createWorld(options: WorldOptions): World {
  const { seed, ...rest } = options;
  const clock = new SimulatedClock();
  const random = seededRandom(seed);
  // The network draws from its own sequence, so that one message more does not change everybody's keys.
  const network = new SimulatedNetwork({ ...rest, clock, random: seededRandom(~BigInt(seed)) });

  async function run<T>(promise: Promise<T>, { deadlineMs = DEFAULT_DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    const untilMs = clock.now() + deadlineMs;
    await clock.run({ untilMs, until: () => settled });
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by the callback above
    if (!settled) throw new Error(`the world with seed ${seed} did not get there by ${clock.now()} ms of virtual time`);
    return promise;
  }

  return { seed: BigInt(seed), clock, random, network, run };
}
