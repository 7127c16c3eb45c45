import { type Random, randomBytes } from '@matryoshka/session';
import { type Clock, type MemoryNetwork, type TransportFactory, memoryNetwork } from '@matryoshka/transport';
import type { Endpoint } from '@matryoshka/wire';

/** How long messages travel, one way, in milliseconds: always so long, or drawn from a range for each message. */
export type Latency = number | readonly [minMs: number, maxMs: number];

/** What a simulated network is made of. */
export interface SimulatedNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default 0. */
  readonly latencyMs?: Latency;
  /** For how long a listener stays silent to whom it refuses, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
}

/** What has been sent so far; first messages of dials included. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** Sees a message that a host sends and may overwrite it, as whoever owns the cable can. */
export type Wiretap = (from: Endpoint, to: Endpoint, message: Uint8Array) => void;

/** The internet of a simulated world: hosts by IP address, ordinary `tcp` endpoints, faults on command. */
export class SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #memory: MemoryNetwork;
  readonly #latencyMs: Latency;
  /** Pairs of hosts that cannot dial each other. */
  readonly #blocked = new Set<string>();
  /** Until when, in virtual time, nothing gets through between a pair of hosts. */
  readonly #outages = new Map<string, number>();
  readonly #wiretaps = new Set<Wiretap>();
  #messages = 0;
  #bytes = 0;

  constructor(options: SimulatedNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#latencyMs = options.latencyMs ?? 0;
    this.#memory = memoryNetwork({
      clock: options.clock,
      delayMs: (from, to) => this.#delayMs(from.host, to.host),
      reachable: (from, to) => !this.#blocked.has(pairOf(from, to)),
      observe: (from, to, message) => this.#observe(from, to, message),
      ...(options.handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs: options.handshakeTimeoutMs }),
    });
  }

  /** What was sent on all links so far. */
  get traffic(): Traffic {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** The transport of the host with this IP address. */
  host(address: string): TransportFactory {
    return this.#memory.transport({ host: address });
  }

  /** Breaks all links between two hosts, both sides see `transport.closed`; new ones can be dialled. Says how many. */
  cut(a: string, b: string): number {
    const pair = pairOf(a, b);
    return this.#memory.breakLinks((dialler, listener) => pairOf(dialler, listener) === pair);
  }

  /** Like {@link cut}, and dials fail, until {@link unblock}. */
  block(a: string, b: string): number {
    this.#blocked.add(pairOf(a, b));
    return this.cut(a, b);
  }

  /** Lets two hosts dial each other again. */
  unblock(a: string, b: string): void {
    this.#blocked.delete(pairOf(a, b));
  }

  /** Breaks all links of a host and ends its listeners. Says how many links there were. */
  crash(host: string): number {
    this.#memory.stopListening(host);
    return this.#memory.breakLinks((dialler, listener) => dialler === host || listener === host);
  }

  /**
   * What is sent between two hosts within the next `durationMs` arrives after it, with nobody told. `Infinity`: what is
   * sent on the links of now never arrives.
   */
  silence(a: string, b: string, durationMs: number): void {
    this.#outages.set(pairOf(a, b), this.#clock.now() + durationMs);
  }

  /** Ends the silence for what is sent from now on; on links that lost a message for good nothing comes any more. */
  unsilence(a: string, b: string): void {
    this.#outages.delete(pairOf(a, b));
  }

  /** Shows every message to `wiretap`, until the function returned is called. */
  tap(wiretap: Wiretap): () => void {
    this.#wiretaps.add(wiretap);
    return () => void this.#wiretaps.delete(wiretap);
  }

  #delayMs(from: string, to: string): number {
    const outageMs = (this.#outages.get(pairOf(from, to)) ?? 0) - this.#clock.now();
    return this.#drawLatencyMs() + Math.max(outageMs, 0);
  }

  #drawLatencyMs(): number {
    if (typeof this.#latencyMs === 'number') return this.#latencyMs;
    const [minMs, maxMs] = this.#latencyMs;
    const draw = new DataView(randomBytes(this.#random, 4).buffer).getUint32(0) / 0x1_0000_0000;
    return minMs + draw * (maxMs - minMs);
  }

  #observe(from: Endpoint, to: Endpoint, message: Uint8Array): void {
    this.#messages++;
    this.#bytes += message.length;
    for (const wiretap of this.#wiretaps) wiretap(from, to, message);
  }
}

/** The same for both directions. */
function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
