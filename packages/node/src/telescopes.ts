import {
  BuildTimeouts,
  type CircuitHost,
  CircuitFactory,
  CircuitPool,
  CircuitRoute,
  type CircuitSource,
  ComposedPolicy,
  type Directory,
  EntryGuards,
  type GuardStore,
  type Hop,
  Measurements,
  PairFailures,
  type PathEnd,
  type PathPolicy,
  type RouteEnd,
  byBandwidth,
  checkPath,
  distinctNetworks,
  distinctOperators,
  extendFailed,
  fixedPath,
} from '@matryoshka/circuit';
import { type LinkAttempt, type Session, type SessionEnvironment, type TrafficSettings, connectSession } from '@matryoshka/peer';
import { MAX_HOPS, type RelayService } from '@matryoshka/relay';
import { peerHash } from '@matryoshka/session';
import type { Link, NetworkBits, Transport } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, type RelayDestination } from '@matryoshka/wire';
import type { Resolved } from './address-book.ts';
import type { CircuitOptions, ConnectOptions } from './connect-options.ts';
import type { Origin } from './connection.ts';
import { hopsInvalid } from './hops.ts';
import type { SuiteChoice } from './suite.ts';

/** A relayed connect waits longer than a request may take (R15), in milliseconds. */
export const RELAYED_TIMEOUT_MS = 45_000;
/** Hops of a circuit that is chosen: three relays and the far end. */
const DEFAULT_HOPS = 4;
/** Paths that are tried for one connect: the last relay may be the one that does not reach the far end. */
export const MAX_TRIES = 3;

/** How circuits are chosen and kept. */
export interface CircuitSettings {
  readonly policy: PathPolicy | undefined;
  readonly networkBits: NetworkBits;
  /** First hops that are kept; 0: a new one each time. */
  readonly entryGuards: number;
  readonly guards: GuardStore | undefined;
  readonly ready: number;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly parallelBuilds: 1 | 2;
}

export interface TelescopesParts {
  readonly environment: SessionEnvironment;
  readonly relay: RelayService;
  readonly transports: readonly Transport[];
  /** AEAD of a session that is opened and whose traffic looks so; by default as that of all. */
  readonly suiteFor: SuiteChoice;
  readonly circuits: CircuitSettings;
  readonly directory: () => Directory;
  readonly ownEndpoints: () => readonly Endpoint[];
  /** The connection to the first hop: the one there is, or a new one. */
  toFirst(first: Hop, signal: AbortSignal): Promise<Session>;
  setOrigin(link: Link, origin: Origin): void;
}

type TelescopeOptions = Pick<ConnectOptions, 'anonymous'> & {
  readonly signal: AbortSignal;
  /** How its traffic looks, where that is not as on all connections. */
  readonly settings?: TrafficSettings | undefined;
};

/** What there is once a path was chosen for the first time. */
interface Chosen {
  readonly pool: CircuitPool;
  readonly timeouts: BuildTimeouts;
}

/** Makes telescoped connections: sessions at the far end of a circuit, over a named path or a chosen one. */
export class Telescopes {
  readonly #parts: TelescopesParts;
  readonly #host: CircuitHost;
  #chosen: Chosen | undefined;

  constructor(parts: TelescopesParts) {
    this.#parts = parts;
    this.#host = this.#hostWith(undefined);
  }

  /** Circuits of chosen paths. */
  get circuits(): CircuitPool['circuits'] {
    return this.#chosen?.pool.circuits ?? [];
  }

  close(): void {
    this.#chosen?.pool.close();
  }

  /** What circuits are built with, whose traffic looks so. */
  #hostWith(traffic: TrafficSettings | undefined): CircuitHost {
    const { environment, relay } = this.#parts;
    return {
      peerId: environment.identity.peerId,
      clock: environment.clock,
      // Two hops: the last peer of the circuit, and the next one, to which it connects itself.
      openLink: (gateway, destination, request, signal) =>
        relay.open({ gateway, destination, remote: destination.endpoint, hops: 2 }, request, signal),
      connectSession: (source, options) =>
        connectSession(environment, source, {
          suite: this.#parts.suiteFor(options.traffic ?? traffic),
          timeoutMs: RELAYED_TIMEOUT_MS,
          ...(traffic && { traffic }),
          ...options,
        }),
    };
  }

  /** Through the hops of `path`; when one of them is lost, the same path again. */
  async over(path: readonly Hop[], to: Resolved, name: string, options: TelescopeOptions): Promise<Session> {
    if (path.length === 0) throw new MatryoshkaError('circuit.path-invalid', 'a path has at least one peer');
    const relays = to.relay !== undefined && path.at(-1)?.peerId !== to.relay ? [...path, this.#relayHop(to, name)] : path;
    if (relays.length + 1 > MAX_HOPS) throw hopsInvalid(relays.length + 1);
    const end = farEnd(to, name);
    checkPath([...relays, end], this.#host.peerId);
    const source = fixedPath(this.#hostWith(options.settings), relays as [Hop, ...Hop[]], (first, signal) =>
      this.#parts.toFirst(first, signal),
    );
    return this.#connect(source, end, options, [RELAYED_TIMEOUT_MS]);
  }

  /** Through relays that a policy chooses, and through others when one of them is lost. */
  async chosen(named: Resolved, name: string, circuit: CircuitOptions, options: TelescopeOptions): Promise<Session> {
    const { hops = DEFAULT_HOPS, isolation, policy } = circuit;
    const to = this.#known(named);
    const behind = to.relay === undefined ? undefined : this.#relayHop(to, name);
    if (!Number.isInteger(hops) || hops < 2 || hops > MAX_HOPS) throw hopsInvalid(hops);
    const relays = hops - (behind === undefined ? 1 : 2);
    // The relay that it is registered with is the only one.
    if (relays === 0) return this.over([behind as Hop], to, name, options);
    const end = farEnd(to, name);
    const { pool, timeouts } = this.#choosing();
    const { environment, ownEndpoints, transports } = this.#parts;
    const request = {
      relays,
      self: { peerId: environment.identity.peerId, endpoints: ownEndpoints() },
      destination: this.#pathEnd(end, behind),
      canDial: (endpoint: Endpoint) => transports.some((transport) => transport.handles(endpoint)),
    };
    const wish = {
      request,
      ...(behind !== undefined && { behind }),
      // Whoever is told apart by sizes is told apart by two builds at once.
      parallel: this.#parallel(options.settings),
      ...(isolation !== undefined && { isolation }),
      ...(policy !== undefined && { policy }),
    };
    // Time for the end as for one hop more, and as long again.
    const timeoutMs = 2 * timeouts.timeoutMs(hops);
    // There is nothing left to try after the last one, which may take as long as one over a named path.
    const timeoutsMs = [...Array.from({ length: MAX_TRIES - 1 }, () => timeoutMs), RELAYED_TIMEOUT_MS];
    return this.#connect(pool.source(wish), end, options, timeoutsMs);
  }

  /** @param timeoutsMs - how long the far end may take, of each try */
  async #connect(
    source: CircuitSource,
    end: FarEnd,
    { anonymous = true, settings, signal }: TelescopeOptions,
    timeoutsMs: readonly number[],
  ): Promise<Session> {
    const { relay } = this.#parts;
    const origin: Origin = { telescoped: true };
    const routeEnd: RouteEnd = {
      peerId: end.peerId,
      // It may have been built for anybody.
      taken: ({ hops }) => {
        const { settings: now } = origin.circuit ?? { settings };
        if (now !== undefined) for (const hop of hops.slice(1)) hop.session.traffic.update(now);
      },
      open: async (gateway, { first, session }: LinkAttempt, attempt) => {
        const { destination, remote = gateway.link.remote } = end;
        const link = await relay.open({ gateway, destination, remote, hops: 2, ...(session && { carried: session }) }, first, attempt);
        this.#parts.setOrigin(link, origin);
        return link;
      },
    };
    const route = new CircuitRoute(source, routeEnd);
    const made = { route, end, settings, handshakeMs: undefined };
    origin.circuit = made;
    const session = await this.#open(route, made, { anonymous, signal, timeoutsMs }).catch((error: unknown) => {
      route.close();
      throw error;
    });
    route.use(session.link);
    void session.closed.then(() => route.close());
    return session;
  }

  async #open(
    route: CircuitRoute,
    made: { readonly end: FarEnd; readonly settings: TrafficSettings | undefined; handshakeMs: number | undefined },
    { anonymous, signal, timeoutsMs }: { anonymous: boolean; signal: AbortSignal; timeoutsMs: readonly number[] },
  ): Promise<Session> {
    const { end } = made;
    for (let attempt = 0; ; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { hops, last } = await route.prepare(signal);
      const startedMs = this.#host.clock.now();
      try {
        // oxlint-disable-next-line no-await-in-loop
        const session = await this.#host.connectSession(route, {
          demand: end.peerId,
          anonymous,
          signal,
          timeoutMs: timeoutsMs[attempt] as number,
          ...(made.settings !== undefined && { traffic: made.settings }),
          ...(anonymous && end.staticKey !== undefined && { remoteStatic: end.staticKey }),
        });
        made.handshakeMs = this.#host.clock.now() - startedMs;
        return session;
      } catch (error) {
        const failure = extendFailed(error, hops.length + 1, end.remote ?? last.endpoint, signal);
        if (failure.code === 'aborted' || attempt === timeoutsMs.length - 1) throw failure;
      }
    }
  }

  /** With what the directory says of a peer, where nothing was said. */
  #known(to: Resolved): Resolved {
    const descriptor = to.peerId === undefined ? undefined : this.#parts.directory().get(to.peerId);
    if (descriptor === undefined) return to;
    const { endpoints, staticKey } = descriptor.body;
    const known = { ...to, staticKey: to.staticKey ?? staticKey };
    // With a relay named, the endpoint is the relay's.
    const endpoint = to.relay === undefined ? (to.endpoint ?? preferred(endpoints)) : to.endpoint;
    return endpoint === undefined ? known : { ...known, endpoint };
  }

  /** The relay that a peer is registered with, as a hop. */
  #relayHop({ endpoint, relay }: Resolved, name: string): Hop {
    const descriptor = relay === undefined ? undefined : this.#parts.directory().get(relay);
    const at = endpoint ?? preferred(descriptor?.body.endpoints ?? []);
    if (relay === undefined || at === undefined) throw noHop(name);
    return { peerId: relay, endpoint: at, ...(descriptor !== undefined && { staticKey: descriptor.body.staticKey }) };
  }

  #pathEnd({ peerId, remote }: FarEnd, behind: Hop | undefined): PathEnd {
    const operator = this.#parts.directory().get(behind?.peerId ?? peerId)?.body.operator;
    const endpoint = behind?.endpoint ?? remote;
    return {
      peerId: behind?.peerId ?? peerId,
      endpoints: endpoint === undefined ? [] : [endpoint],
      ...(operator !== undefined && operator !== '' && { operator }),
    };
  }

  /** One build at a time where all records have one length. */
  #parallel(settings: TrafficSettings | undefined): 1 | 2 {
    const { circuits, environment } = this.#parts;
    return (settings ?? environment.traffic)?.padding.kind === 'constant' ? 1 : circuits.parallelBuilds;
  }

  #choosing(): Chosen {
    if (this.#chosen !== undefined) return this.#chosen;
    const { circuits, directory, environment } = this.#parts;
    const { clock, random } = environment;
    const [failures, measurements, timeouts] = [new PairFailures(clock), new Measurements(), new BuildTimeouts()];
    const { entryGuards, guards: store } = circuits;
    const guards = entryGuards === 0 ? undefined : new EntryGuards(clock, { count: entryGuards, ...(store !== undefined && { store }) });
    const policy =
      circuits.policy ??
      new ComposedPolicy({
        constraints: [distinctNetworks(circuits.networkBits), distinctOperators],
        weights: byBandwidth(measurements),
        penalties: [failures],
        ...(guards !== undefined && { entry: guards }),
      });
    const parts = {
      host: this.#host,
      random,
      directory: directory(),
      policy,
      failures,
      measurements,
      timeouts,
      parallel: this.#parallel(undefined),
      connectFirst: (hop: Hop, signal: AbortSignal) => this.#parts.toFirst({ peerId: hop.peerId, endpoint: hop.endpoint }, signal),
      ...(guards !== undefined && { guards }),
    };
    this.#chosen = { timeouts, pool: new CircuitPool(new CircuitFactory(parts), parts, circuits) };
    return this.#chosen;
  }
}

/** Whom a circuit ends at, and what its last relay is asked for. */
export interface FarEnd {
  readonly peerId: Hop['peerId'];
  readonly staticKey?: Uint8Array;
  readonly destination: RelayDestination;
  /** Where it is, unless it is at a relay. */
  readonly remote?: Endpoint;
}

function farEnd({ peerId, endpoint, relay, staticKey }: Resolved, name: string): FarEnd {
  const key = staticKey === undefined ? {} : { staticKey };
  // Its relay is the last hop already.
  if (peerId !== undefined && relay !== undefined) return { peerId, ...key, destination: { peer: peerHash(peerId) } };
  if (peerId === undefined || endpoint === undefined) throw noHop(name);
  return { peerId, ...key, remote: endpoint, destination: { endpoint, peer: peerHash(peerId) } };
}

function preferred(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints.find(({ transport }) => transport === 'tcp') ?? endpoints[0];
}

/** @throws MatryoshkaError `circuit.path-invalid` for what names no hop */
export function toHop({ peerId, endpoint, relay, staticKey }: Resolved, name: string): Hop {
  if (peerId === undefined || endpoint === undefined || relay !== undefined) throw noHop(name);
  return { peerId, endpoint, ...(staticKey && { staticKey }) };
}

function noHop(name: string): MatryoshkaError {
  return new MatryoshkaError('circuit.path-invalid', `${name} cannot be a hop: each needs a peer id and an endpoint, peerId@host:port`);
}
