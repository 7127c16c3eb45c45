import type { Random } from '@matryoshka/session';
import type { Clock, MessageTransportFactory, Timer, Transport } from '@matryoshka/transport';
import { seededRandom } from './seeded-random.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

/** What the machine of a node is made of. */
export interface MachineOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly network: SimulatedNetwork;
  readonly seed: bigint;
}

/**
 * What one node runs on, from its start to its crash: a clock, randomness and a transport of its own. A crash stops the
 * code that runs on it as a power failure does: its timers never fire again, its dials never settle, nobody tells it
 * anything. Whoever boots the same address again gets a new machine.
 */
export class Machine {
  /** IP address. */
  readonly address: string;
  /** Time, until it crashes. */
  readonly clock: Clock;
  /** Its own, from the seed of the world. */
  readonly random: Random;
  /** Dials and listens from its address. */
  readonly transport: MessageTransportFactory;
  readonly #network: SimulatedNetwork;
  readonly #crash = new AbortController();

  /** Made by a world. */
  constructor({ address, clock, network, seed }: MachineOptions) {
    this.address = address;
    this.#network = network;
    this.random = seededRandom(seed);
    const crashed = this.#crash.signal;
    this.clock = new MachineClock(clock, crashed);
    this.transport = (context) => new MachineTransport(network.host(address)(context), crashed);
  }

  /** Whether it has. */
  get crashed(): boolean {
    return this.#crash.signal.aborted;
  }

  /**
   * Stops it. Its neighbours see their links close after `toldMs`, 0 unless told, or never (`Infinity`). Idempotent.
   */
  crash({ toldMs = 0 }: { readonly toldMs?: number } = {}): void {
    if (this.crashed) return;
    this.#crash.abort();
    this.#network.powerOff(this.address, toldMs);
  }
}

const NO_TIMER: Timer = { cancel() {} };

/** The clock of a world as long as the machine runs. */
class MachineClock implements Clock {
  readonly #clock: Clock;
  readonly #crashed: AbortSignal;

  constructor(clock: Clock, crashed: AbortSignal) {
    this.#clock = clock;
    this.#crashed = crashed;
  }

  now(): number {
    return this.#clock.now();
  }

  unixMs(): number {
    return this.#clock.unixMs();
  }

  after(ms: number, run: () => void): Timer {
    if (this.#crashed.aborted) return NO_TIMER;
    return this.#clock.after(ms, () => this.#unlessCrashed(run));
  }

  soon(run: () => void): void {
    this.#clock.soon(() => this.#unlessCrashed(run));
  }

  #unlessCrashed(run: () => void): void {
    if (!this.#crashed.aborted) run();
  }
}

class MachineTransport implements Transport {
  readonly name: string;
  readonly #transport: Transport;
  readonly #crashed: AbortSignal;

  constructor(transport: Transport, crashed: AbortSignal) {
    this.name = transport.name;
    this.#transport = transport;
    this.#crashed = crashed;
  }

  handles: Transport['handles'] = (endpoint) => this.#transport.handles(endpoint);

  dial: Transport['dial'] = (to, first, { signal }) => {
    if (this.#crashed.aborted) return NEVER;
    const signals = signal === undefined ? [this.#crashed] : [this.#crashed, signal];
    return this.#unlessCrashed(this.#transport.dial(to, first, { signal: AbortSignal.any(signals) }));
  };

  listen: NonNullable<Transport['listen']> = (on, accept) => {
    if (this.#crashed.aborted) return NEVER;
    const listening = this.#transport.listen?.(on, accept);
    if (listening === undefined) throw new TypeError('a simulated transport listens');
    return this.#unlessCrashed(listening);
  };

  /** Nobody is there any more to hear what became of it. */
  #unlessCrashed<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (!this.#crashed.aborted) resolve(value);
        },
        (error: unknown) => {
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as it came
          if (!this.#crashed.aborted) reject(error);
        },
      );
    });
  }
}

/** A link or listener that its machine did not live to see. */
const NEVER: Promise<never> = new Promise(() => {});
