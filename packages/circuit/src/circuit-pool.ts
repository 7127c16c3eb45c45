import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import type { Timer } from '@matryoshka/transport';
import type { Circuit, Fault, Hop } from './circuit.ts';
import type { CircuitSource } from './circuit-route.ts';
import type { CircuitFactory, CircuitFactoryParts } from './build/circuit-factory.ts';
import type { CircuitRequest, PathPolicy } from './policy/path-policy.ts';

/** How often circuits are looked at, in milliseconds. */
const SWEEP_MS = 10_000;
/** Nobody has asked for so long, so nothing is kept ready any more, in milliseconds. */
const DEMAND_MS = 600_000;
/** After a failed build ahead of need, doubled each time, in milliseconds. */
const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** Circuits that wait for their isolation key to come again. */
const MAX_IDLE = 64;
/** Less than that says nothing of what a relay can carry, in bytes per second. */
const MIN_MEASURED = 65_536;

/** How many circuits are kept ready, and for how long one is used. */
export interface CircuitPoolSettings {
  /** Circuits kept ready, once one was asked for. */
  readonly ready: number;
  /** An older circuit takes nothing new, and is closed when nothing uses it, in milliseconds. */
  readonly maxAgeMs: number;
  /** So does one through which more went, in bytes; 0: no limit. */
  readonly maxBytes: number;
}

/** Tor: `MaxCircuitDirtiness` of 10 minutes, and two or three clean circuits (path-spec §2.1.1). */
export const DEFAULT_CIRCUIT_POOL_SETTINGS: CircuitPoolSettings = { ready: 2, maxAgeMs: 600_000, maxBytes: 0 };

/** What a user of circuits wants. */
export interface CircuitWish {
  /** What the path has to be like. */
  readonly request: CircuitRequest;
  /** A hop behind those that are chosen, such as the relay that the far end is registered with. */
  readonly behind?: Hop;
  /** Users with the same key may share circuits; without one nobody shares. */
  readonly isolation?: string;
  /** Instead of that of the pool; such circuits are never built ahead. */
  readonly policy?: PathPolicy;
  /** Instead of what the factory has. */
  readonly parallel?: 1 | 2;
}

interface Pooled {
  readonly circuit: Circuit;
  readonly relays: number;
  readonly policy: PathPolicy | undefined;
  isolation: string | undefined;
  /** The hop behind its relays: set before it is added, so that nobody else takes the circuit meanwhile. */
  behind: PeerId | undefined;
  /** Somebody has used it: for others it is spent. */
  used: boolean;
  users: number;
  bytesBefore: number;
}

/**
 * The circuits of a node: some built ahead, some in use, each for one isolation key.
 *
 * | state of a circuit | on | next |
 * |---|---|---|
 * | *ready* | a wish that its path is good for | *in use*, by its isolation key alone |
 * | *in use* | another wish with the same key, and the same hop behind its relays or none | *in use* |
 * | *in use* | its last user has gone | *idle* where it has a key and is neither old nor broken, else closed |
 * | *idle* | a wish with its key, and the same hop behind its relays or, so far, none | *in use* |
 * | *ready*, *idle* | old, carried too much, broken; a relay has left the directory | closed |
 */
export class CircuitPool {
  readonly #factory: CircuitFactory;
  readonly #parts: CircuitFactoryParts;
  readonly #settings: CircuitPoolSettings;
  readonly #pooled = new Map<Circuit, Pooled>();
  readonly #closing = new AbortController();
  #demand: { readonly request: CircuitRequest; readonly untilMs: number } | undefined;
  /** The circuit that is built ahead, until it is or nobody asks for it any more. */
  #building: AbortController | undefined;
  #backoffMs = 0;
  #backoff: Timer | undefined;
  #sweep: Timer | undefined;

  constructor(factory: CircuitFactory, parts: CircuitFactoryParts, settings: CircuitPoolSettings = DEFAULT_CIRCUIT_POOL_SETTINGS) {
    this.#factory = factory;
    this.#parts = parts;
    this.#settings = settings;
  }

  /** Every circuit there is, and how many use it. */
  get circuits(): readonly { readonly circuit: Circuit; readonly users: number; readonly isolation: string | undefined }[] {
    return [...this.#pooled.values()].map(({ circuit, users, isolation }) => ({ circuit, users, isolation }));
  }

  /** Circuits for one route. */
  source(wish: CircuitWish): CircuitSource {
    return {
      take: (broken, signal) => this.#take(wish, broken, signal),
      release: (circuit) => this.#release(circuit),
      failed: ({ from, to }: Fault) => this.#parts.failures.failed(from, to),
    };
  }

  /** Closes them all. */
  close(): void {
    this.#closing.abort();
    this.#building?.abort();
    this.#backoff?.cancel();
    this.#sweep?.cancel();
    for (const { circuit } of this.#pooled.values()) circuit.close();
    this.#pooled.clear();
  }

  async #take(wish: CircuitWish, broken: Circuit | undefined, signal: AbortSignal): Promise<Circuit> {
    const { behind, isolation, parallel, policy, request } = wish;
    if (policy === undefined && this.#settings.ready > 0) {
      this.#demand = { request: withoutEnd(request), untilMs: this.#now + DEMAND_MS };
      this.#sweepLater();
    }
    const found = [...this.#pooled.values()].find((each) => each.circuit !== broken && this.#serves(each, wish));
    if (found !== undefined) {
      // Whoever comes next with this key finds it by it.
      found.isolation = isolation;
      found.used = true;
      found.users++;
      this.#refill();
      return this.#extended(found, behind, signal);
    }
    const circuit = await this.#factory.build(request, AbortSignal.any([signal, this.#closing.signal]), { policy, parallel });
    const pooled = this.#add(circuit, { relays: request.relays, policy, isolation, behind: undefined, used: true, users: 1 });
    this.#refill();
    return this.#extended(pooled, behind, signal);
  }

  /** With the hop behind its relays. */
  async #extended(pooled: Pooled, behind: Hop | undefined, signal: AbortSignal): Promise<Circuit> {
    const { circuit } = pooled;
    if (behind === undefined || pooled.behind !== undefined) return circuit;
    pooled.behind = behind.peerId;
    try {
      await circuit.extend(behind, { signal });
    } catch (error) {
      pooled.behind = undefined;
      this.#release(circuit);
      throw error;
    }
    return circuit;
  }

  #serves(pooled: Pooled, { behind, isolation, policy, request }: CircuitWish): boolean {
    if (pooled.policy !== policy || pooled.relays !== request.relays) return false;
    if (pooled.used && (isolation === undefined || pooled.isolation !== isolation)) return false;
    if (!endsAs(pooled, behind) || !this.#good(pooled)) return false;
    const path = this.#pathOf(pooled.circuit, request.relays);
    return path !== undefined && (policy ?? this.#parts.policy).admits?.(path, request) === true;
  }

  #release(circuit: Circuit): void {
    const pooled = this.#pooled.get(circuit);
    if (pooled === undefined) {
      circuit.close();
      return;
    }
    pooled.users--;
    const idle = [...this.#pooled.values()].filter((each) => each.used && each.users === 0).length;
    if (pooled.users === 0 && (pooled.isolation === undefined || !this.#good(pooled) || idle > MAX_IDLE)) this.#drop(circuit);
  }

  #add(circuit: Circuit, state: Omit<Pooled, 'circuit' | 'bytesBefore'>): Pooled {
    const pooled = { ...state, circuit, bytesBefore: 0 };
    if (this.#closing.signal.aborted) {
      circuit.close();
      return pooled;
    }
    this.#pooled.set(circuit, pooled);
    this.#sweepLater();
    return pooled;
  }

  #drop(circuit: Circuit): void {
    this.#pooled.delete(circuit);
    circuit.close();
  }

  /** Whether it takes something new. */
  #good({ circuit }: Pooled): boolean {
    const { maxAgeMs, maxBytes } = this.#settings;
    return circuit.usable && this.#now - circuit.builtAtMs < maxAgeMs && (maxBytes === 0 || circuit.bytes < maxBytes);
  }

  /** While there are circuits, or a demand for them, which may end without there ever being one. */
  #sweepLater(): void {
    if (this.#closing.signal.aborted || (this.#pooled.size === 0 && this.#demand === undefined)) return;
    this.#sweep ??= this.#parts.host.clock.after(SWEEP_MS, this.#onSweep);
  }

  readonly #onSweep = (): void => {
    this.#sweep = undefined;
    for (const pooled of this.#pooled.values()) {
      this.#measure(pooled);
      const gone = this.#pathOf(pooled.circuit, pooled.relays) === undefined;
      if (pooled.users === 0 && (gone || !this.#good(pooled))) this.#drop(pooled.circuit);
    }
    // Also one whose build took longer than anybody asked for it.
    if (this.#now > (this.#demand?.untilMs ?? Number.NEGATIVE_INFINITY)) {
      this.#demand = undefined;
      this.#building?.abort();
      for (const { circuit, used } of this.#pooled.values()) if (!used) this.#drop(circuit);
    }
    this.#refill();
    this.#sweepLater();
  };

  /** What went through it since the last time, all of its relays can carry. */
  #measure(pooled: Pooled): void {
    const { bytes, hops } = pooled.circuit;
    const perSecond = ((bytes - pooled.bytesBefore) * 1000) / SWEEP_MS;
    pooled.bytesBefore = bytes;
    const peers = hops.map(({ peerId }) => peerId);
    if (perSecond >= MIN_MEASURED) this.#parts.measurements.carried(peers, perSecond);
  }

  /** One circuit at a time is built ahead, while there are too few. */
  #refill(): void {
    const demand = this.#demand;
    if (demand === undefined || this.#building !== undefined || this.#backoff !== undefined || this.#closing.signal.aborted) return;
    if (this.#parts.policy.admits === undefined) return;
    const ready = [...this.#pooled.values()].filter((each) => !each.used && each.relays === demand.request.relays && this.#good(each));
    if (ready.length >= this.#settings.ready) return;
    const building = new AbortController();
    this.#building = building;
    this.#factory
      .build(demand.request, building.signal)
      .then(
        (circuit) => {
          this.#backoffMs = 0;
          this.#add(circuit, { relays: demand.request.relays, ...UNUSED });
        },
        () => {
          if (!building.signal.aborted) this.#backOff();
        },
      )
      .finally(() => {
        this.#building = undefined;
        this.#refill();
      });
  }

  /** Where nothing can be built, little is tried, whatever news there is of relays: anybody may make some. */
  #backOff(): void {
    if (this.#closing.signal.aborted) return;
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(MIN_BACKOFF_MS, this.#backoffMs * 2));
    this.#backoff = this.#parts.host.clock.after(this.#backoffMs, () => {
      this.#backoff = undefined;
      this.#refill();
    });
  }

  /** The descriptors of its relays; undefined where one has left the directory. */
  #pathOf({ hops }: Circuit, relays: number): readonly VerifiedDescriptor[] | undefined {
    const path = hops.slice(0, relays).map(({ peerId }) => this.#parts.directory.get(peerId));
    return path.every((descriptor) => descriptor !== undefined) ? path : undefined;
  }

  get #now(): number {
    return this.#parts.host.clock.now();
  }
}

const UNUSED = { policy: undefined, isolation: undefined, behind: undefined, used: false, users: 0 } as const;

/** Links are opened through the last hop, so that has to be the right one, and must not change under those who use it. */
function endsAs({ behind, circuit, relays, users }: Pooled, wanted: Hop | undefined): boolean {
  if (behind === undefined) return wanted === undefined || users === 0;
  return behind === wanted?.peerId && circuit.hops.length === relays + 1;
}

function withoutEnd({ destination: _destination, ...request }: CircuitRequest): CircuitRequest {
  return request;
}
