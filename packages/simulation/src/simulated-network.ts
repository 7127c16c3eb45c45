import type { Random } from '@matryoshka/session';
import { type Clock, type MemoryNetwork, type MemoryWire, type MessageTransportFactory, memoryNetwork } from '@matryoshka/transport';
import type { Endpoint } from '@matryoshka/wire';
import { randomReal } from './random-real.ts';
import { SimulatedWire } from './simulated-wire.ts';
import { Trace } from './trace.ts';

/** How long messages travel, one way, in milliseconds: always so long, or drawn from a range for each message (jitter). */
export type Latency = number | readonly [minMs: number, maxMs: number];

/** What the way between two hosts is like. */
export interface PathConditions {
  /** Default 0. */
  readonly latencyMs?: Latency;
  /** All links between the two hosts share it, each direction has its own. Default: no limit. */
  readonly bytesPerSecond?: number;
}

/** What a simulated network is made of; the conditions are those of every way that has none of its own. */
export interface SimulatedNetworkOptions extends PathConditions {
  /** Time. */
  readonly clock: Clock;
  /** Where jitter comes from. */
  readonly random: Random;
  /** For how long a listener stays silent to whom it refuses, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
}

/** What has been sent so far; first messages of dials included. */
export interface Traffic {
  /** Of all links. */
  readonly messages: number;
  /** In those messages. */
  readonly bytes: number;
}

/** Sees a message that a host sends and may overwrite it, as whoever owns the cable can. */
export type Wiretap = (from: Endpoint, to: Endpoint, message: Uint8Array, wire: SimulatedWire) => void;

/** Sees a link before anything is sent on it. */
export type WireWatcher = (wire: SimulatedWire) => void;

/** The internet of a simulated world: hosts by IP address, ordinary `tcp` endpoints, faults on command. */
export class SimulatedNetwork {
  /** Everything that arrives. */
  readonly trace: Trace = new Trace();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #memory: MemoryNetwork;
  readonly #defaults: PathConditions;
  readonly #paths = new Map<string, PathConditions>();
  /** Until when, in virtual time, the line from one host to another is busy with what was sent. */
  readonly #busyUntilMs = new Map<string, number>();
  /** Pairs of hosts that cannot dial each other. */
  readonly #blocked = new Set<string>();
  /** Until when, in virtual time, nothing gets through between a pair of hosts. */
  readonly #outages = new Map<string, number>();
  readonly #wiretaps = new Set<Wiretap>();
  readonly #watchers = new Set<WireWatcher>();
  /** Open links, by the endpoint object of their diallers. */
  readonly #wires = new Map<Endpoint, SimulatedWire>();
  #nextWire = 1;
  #messages = 0;
  #bytes = 0;

  constructor(options: SimulatedNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#defaults = options;
    this.#memory = memoryNetwork({
      clock: options.clock,
      delayMs: (from, to, length) => this.#delayMs(from.host, to.host, length),
      reachable: (from, to) => !this.#blocked.has(pairOf(from, to)),
      observe: (from, to, message) => this.#observe(from, to, message),
      delivered: (from, to, message) => this.#delivered(from, to, message),
      opened: (wire) => this.#opened(wire),
      ended: (wire) => this.#ended(wire),
      ...(options.handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs: options.handshakeTimeoutMs }),
    });
  }

  /** What was sent on all links so far. */
  get traffic(): Traffic {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** The transport of the host with this IP address. */
  host(address: string): MessageTransportFactory {
    return this.#memory.transport({ host: address });
  }

  /** Sets what the way between two hosts is like, in both directions. */
  setPath(a: string, b: string, conditions: PathConditions): void {
    this.#paths.set(pairOf(a, b), conditions);
  }

  /** The links that are open: of one host, or between two. */
  wires(host?: string, other?: string): readonly SimulatedWire[] {
    return [...this.#wires.values()].filter(
      (wire) => (host === undefined || wire.sideOf(host) !== undefined) && (other === undefined || wire.sideOf(other) !== undefined),
    );
  }

  /** Shows every link from now on to `watcher`, before anything is sent on it, until the function returned is called. */
  watch(watcher: WireWatcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
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
   * A host loses its power: it is told nothing any more, nobody listens there, what it has not sent is lost. The others
   * learn of it after `toldMs`, or never (`Infinity`). Says how many links there were.
   */
  powerOff(host: string, toldMs: number): number {
    this.#memory.stopListening(host);
    const wires = this.wires(host);
    for (const wire of wires) {
      const here = wire.sideOf(host) ?? 'dialler';
      wire.break(here, { silent: true });
      wire.cut({ toldMs: { [here]: Number.POSITIVE_INFINITY, [here === 'dialler' ? 'listener' : 'dialler']: toldMs } });
    }
    return wires.length;
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

  /** Splits the network for a while: a silence between each of `some` and each of `others`. */
  partition(some: readonly string[], others: readonly string[], durationMs: number): void {
    for (const a of some) for (const b of others) if (a !== b) this.silence(a, b, durationMs);
  }

  /** Shows every message to `wiretap`, until the function returned is called. */
  tap(wiretap: Wiretap): () => void {
    this.#wiretaps.add(wiretap);
    return () => void this.#wiretaps.delete(wiretap);
  }

  #delayMs(from: string, to: string, length: number): number {
    const pair = pairOf(from, to);
    const { latencyMs = 0, bytesPerSecond } = this.#paths.get(pair) ?? this.#defaults;
    const outageMs = (this.#outages.get(pair) ?? 0) - this.#clock.now();
    return this.#drawMs(latencyMs) + this.#sendingMs(`${from} ${to}`, length, bytesPerSecond) + Math.max(outageMs, 0);
  }

  #drawMs(latencyMs: Latency): number {
    if (typeof latencyMs === 'number') return latencyMs;
    const [minMs, maxMs] = latencyMs;
    return minMs + randomReal(this.#random) * (maxMs - minMs);
  }

  /** Until the last byte is on the line, behind all that was sent before. */
  #sendingMs(line: string, length: number, bytesPerSecond: number | undefined): number {
    if (bytesPerSecond === undefined || length === 0) return 0;
    const now = this.#clock.now();
    const doneMs = Math.max(this.#busyUntilMs.get(line) ?? 0, now) + (length / bytesPerSecond) * 1000;
    this.#busyUntilMs.set(line, doneMs);
    return doneMs - now;
  }

  #opened(memoryWire: MemoryWire): void {
    const wire = new SimulatedWire(this.#nextWire++, memoryWire, this.#clock, this.#random);
    this.#wires.set(wire.dialler, wire);
    for (const watcher of this.#watchers) watcher(wire);
  }

  #ended({ dialler }: MemoryWire): void {
    this.#wires.get(dialler)?.ended();
    this.#wires.delete(dialler);
  }

  #observe(from: Endpoint, to: Endpoint, message: Uint8Array): void {
    this.#messages++;
    this.#bytes += message.length;
    const dialled = this.#wires.get(from);
    const wire = dialled ?? this.#wires.get(to);
    if (wire === undefined) return;
    for (const wiretap of this.#wiretaps) wiretap(from, to, message, wire);
    wire.sends(dialled === undefined ? 'listener' : 'dialler', message.length);
  }

  #delivered(from: Endpoint, to: Endpoint, message: Uint8Array): void {
    const dialled = this.#wires.get(from);
    this.trace.add(this.#clock.now(), (dialled ?? this.#wires.get(to))?.id ?? 0, dialled === undefined ? 1 : 0, message);
  }
}

/** The same for both directions. */
function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
