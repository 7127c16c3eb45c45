import type { CryptoProvider, Random } from '@matryoshka/session';
import { BlockWatch } from './block-watch.ts';
import { SealRecord } from './crypto/seal-record.ts';
import { simulatedProvider } from './crypto/simulated-provider.ts';
import { Machine } from './machine.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { type PathConditions, SimulatedNetwork } from './simulated-network.ts';

/** Virtual time after which a run is given up, in milliseconds. */
const DEFAULT_DEADLINE_MS = 600_000;
// What each sequence of randomness is for, so that one draw more in one of them changes no other.
const TIMER_SEQUENCE = 0x7469_6d65_7273n;
const MACHINE_SEQUENCE = 0x6d61_6368_696e_6573n;

/** What a world is made of; the conditions are those of every way between two hosts that has none of its own. */
export interface WorldOptions extends PathConditions {
  /** Everything that happens follows from it. */
  readonly seed: number | bigint;
  /** For how long a listener stays silent to whom it refuses, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /**
   * Timers run up to so many milliseconds late, and in random order where they are due together. Default: exactly, in
   * the order in which they were set.
   */
  readonly timersLateMs?: number;
}

/** Everything that happened in a world up to now, in a few digits. */
export interface TraceSummary {
  /** Of every byte that arrived, over which link and when; 16 hex digits. */
  readonly hash: string;
  /** Timers and ticks that were run. */
  readonly steps: number;
}

/** A whole world with its own time, chance and network, that a seed replays. */
export interface World {
  /** What all of it follows from. */
  readonly seed: bigint;
  /** The one time of this world. */
  readonly clock: SimulatedClock;
  /** The one source of randomness of this world. */
  readonly random: Random;
  /** Its hosts, and what is between them. */
  readonly network: SimulatedNetwork;
  /** Two runs with the same trace were the same, bit for bit. */
  readonly trace: TraceSummary;
  /** Every sealing by providers of this world. */
  readonly seals: SealRecord;
  /** Rules of the world that were broken: keys used twice with a nonce, blocks seen on two links. */
  readonly violations: readonly string[];
  /** A fast provider whose sealings the world checks. @param name - who seals, in reports */
  provider(name?: string): CryptoProvider;
  /**
   * Checks from now on that no 16-byte block goes over two links. For links inside other sessions, note what goes over
   * them with the watch that is returned; the links of the network are named by their numbers.
   */
  watchBlocks(): BlockWatch;
  /** Starts a machine at this IP address, for one node; after its crash a new one. */
  boot(address: string): Machine;
  /**
   * Lets time pass until `promise` settles, and settles as it does.
   * @throws Error that names the seed when nothing is left to happen or `deadlineMs` of virtual time are over (default
   * 600,000)
   */
  run<T>(promise: Promise<T>, options?: { readonly deadlineMs?: number }): Promise<T>;
}

class SeededWorld implements World {
  readonly seed: bigint;
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly seals: SealRecord;
  readonly #machines: Random;
  #blocks: BlockWatch | undefined;

  constructor({ seed, timersLateMs, ...rest }: WorldOptions) {
    this.seed = BigInt(seed);
    this.random = seededRandom(seed);
    const shuffle =
      timersLateMs === undefined ? {} : { shuffle: { random: seededRandom(this.seed ^ TIMER_SEQUENCE), lateMs: timersLateMs } };
    this.clock = new SimulatedClock(shuffle);
    // The network draws from its own sequence, so that one message more does not change everybody's keys.
    this.network = new SimulatedNetwork({ ...rest, clock: this.clock, random: seededRandom(~this.seed) });
    this.seals = new SealRecord(() => this.clock.now());
    this.#machines = seededRandom(this.seed ^ MACHINE_SEQUENCE);
  }

  get trace(): TraceSummary {
    return { hash: this.network.trace.hash, steps: this.clock.steps };
  }

  get violations(): readonly string[] {
    return [...this.seals.violations, ...(this.#blocks?.violations ?? [])];
  }

  provider(name?: string): CryptoProvider {
    return simulatedProvider({ record: this.seals, ...(name === undefined ? {} : { name }) });
  }

  watchBlocks(): BlockWatch {
    if (this.#blocks !== undefined) return this.#blocks;
    const blocks = new BlockWatch(() => this.clock.now());
    this.network.tap((_from, _to, message, wire) => blocks.note(wire.id, message));
    this.#blocks = blocks;
    return blocks;
  }

  boot(address: string): Machine {
    const seed = new BigUint64Array(1);
    this.#machines.fill(new Uint8Array(seed.buffer));
    return new Machine({ address, clock: this.clock, network: this.network, seed: seed[0] as bigint });
  }

  // Bound, because tests take it out of its world.
  readonly run = async <T>(
    promise: Promise<T>,
    { deadlineMs = DEFAULT_DEADLINE_MS }: { readonly deadlineMs?: number } = {},
  ): Promise<T> => {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    const untilMs = this.clock.now() + deadlineMs;
    await this.clock.run({ untilMs, until: () => settled });
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by the callback above
    if (!settled) throw new Error(`the world with seed ${this.seed} did not get there by ${this.clock.now()} ms of virtual time`);
    return promise;
  };
}

/** Makes a world. */
export function createWorld(options: WorldOptions): World {
  return new SeededWorld(options);
}

/**
 * Makes a world and runs `scenario` in it.
 * @throws Error with the seed, how far it came, and how to replay it, when the scenario fails or a rule of the world was
 * broken; its `cause` is what the scenario threw
 */
export async function inWorld<T>(options: WorldOptions, scenario: (world: World) => Promise<T>): Promise<T> {
  const world = createWorld(options);
  const told = (what: string): string => {
    const { hash, steps } = world.trace;
    return (
      `${what}\n  in the world with seed ${world.seed}, at ${world.clock.now()} ms, step ${steps}, trace ${hash}` +
      `\n  replay it with createWorld({ seed: ${world.seed}n, ... }) and the same options`
    );
  };
  let value: T;
  try {
    value = await scenario(world);
  } catch (error) {
    throw new Error(told(error instanceof Error ? error.message : String(error)), { cause: error });
  }
  if (world.violations.length > 0) throw new Error(told(world.violations.join('\n')));
  return value;
}
