import { type Endpoint, MatryoshkaError } from '@matryoshka/wire';
import { type Admission, OPEN_ADMISSION } from './admission.ts';
import type { Clock } from './clock.ts';
import { CONNECT_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, dialAborted, dialFailed, listenFailed } from './direct-link.ts';
import type { Accept, Link, Listener, Transport, MessageTransportFactory } from './link.ts';
import { type BreakOptions, MemoryLink } from './memory-link.ts';
import { linkMessageLength } from './message-length.ts';

/** First port of the range for dialled links (RFC 6335 §6). */
const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;
const UNSPECIFIED_HOSTS: readonly string[] = ['0.0.0.0', '::'];

/** How a network in memory behaves. */
export interface MemoryNetworkOptions {
  /** Time. */
  readonly clock: Clock;
  /** How long so many bytes travel, in milliseconds; asked once per message and (0 bytes) connect step, order is kept. Default 0. */
  readonly delayMs?: (from: Endpoint, to: Endpoint, length: number) => number;
  /** Whether one host can dial the other. Default: always. */
  readonly reachable?: (from: string, to: string) => boolean;
  /** Sees each message when it leaves and may overwrite it: the bytes are a copy. */
  readonly observe?: (from: Endpoint, to: Endpoint, message: Uint8Array) => void;
  /** Sees each message when its owner gets it, before the owner does. */
  readonly delivered?: (from: Endpoint, to: Endpoint, message: Uint8Array) => void;
  /** Hears of each new link, before anything is sent on it. */
  readonly opened?: (wire: MemoryWire) => void;
  /** Hears that both ends of a link are closed. */
  readonly ended?: (wire: MemoryWire) => void;
  /** For how long a listener stays silent to whom it refuses, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
}

/** One of the two ends of a link, by what it did. */
export type WireSide = 'dialler' | 'listener';

/** One link, in the hands of whoever owns the cable: it fails for each side on its own. */
export interface MemoryWire {
  /** Local endpoint of the dialled link; this very object is the `from` and `to` of its messages. */
  readonly dialler: Endpoint;
  /** Local endpoint of the accepted link. */
  readonly listener: Endpoint;
  /**
   * From now on nothing that `side` sends arrives, and nobody is told. Called while a message is observed, that message
   * is the first one. With `inFlight`, what is on its way does not arrive either.
   */
  lose(side: WireSide, inFlight: boolean): void;
  /** Ends `side` alone, with `transport.closed`; the other one learns nothing from it. Nothing, where it has ended already. */
  break(side: WireSide, options?: BreakOptions): void;
}

/** Nodes that find each other within one process, by ordinary `tcp` endpoints. */
export interface MemoryNetwork {
  /** The transport of the host with this IP address: it dials from there, and listens there. */
  transport(local: { readonly host: string }): MessageTransportFactory;
  /** Ends all links between hosts of which `matches` says so; both sides see `transport.closed`. Says how many. */
  breakLinks(matches: (dialler: string, listener: string) => boolean): number;
  /** Ends all listeners of a host. */
  stopListening(host: string): void;
}

class Wire implements MemoryWire {
  readonly dialler: Endpoint;
  readonly listener: Endpoint;
  readonly #ends: Readonly<Record<WireSide, MemoryLink>>;

  constructor(dialled: MemoryLink, accepted: MemoryLink) {
    this.dialler = dialled.local;
    this.listener = accepted.local;
    this.#ends = { dialler: dialled, listener: accepted };
  }

  lose(side: WireSide, inFlight: boolean): void {
    this.#ends[side].lose(inFlight);
  }

  break(side: WireSide, options?: BreakOptions): void {
    this.#ends[side].breakEnd(new MatryoshkaError('transport.closed', 'the connection broke'), options);
  }
}

class Network implements MemoryNetwork {
  readonly options: MemoryNetworkOptions;
  readonly #accepts = new Map<string, { readonly accept: Accept; readonly admission: Admission }>();
  readonly #links = new Set<MemoryLink>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.options = options;
  }

  transport(local: { readonly host: string }): MessageTransportFactory {
    return ({ admission = OPEN_ADMISSION }) => new MemoryTransport(this, local.host, admission);
  }

  breakLinks(matches: (dialler: string, listener: string) => boolean): number {
    const reason = new MatryoshkaError('transport.closed', 'the connection broke');
    const broken = [...this.#links].filter((link) => matches(link.local.host, link.remote.host));
    for (const link of broken) link.break(reason);
    return broken.length;
  }

  stopListening(host: string): void {
    for (const key of this.#accepts.keys()) if (key.startsWith(`${host} `)) this.#accepts.delete(key);
  }

  ephemeralPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
    return port;
  }

  listen(on: Endpoint, accept: Accept, admission: Admission): Listener {
    let endpoint = on;
    while (endpoint.port === 0 || (on.port === 0 && this.#accepts.has(key(endpoint)))) endpoint = { ...on, port: this.ephemeralPort() };
    if (this.#accepts.has(key(endpoint))) throw listenFailed(on, 'the port is in use');
    const listening = { accept, admission };
    this.#accepts.set(key(endpoint), listening);
    const close = (): Promise<void> => {
      if (this.#accepts.get(key(endpoint)) === listening) this.#accepts.delete(key(endpoint));
      return Promise.resolve();
    };
    return { endpoint, close };
  }

  /** The two ends of a new link, or undefined where nobody listens; the accepted end gets `first` on its way. */
  connect(from: Endpoint, to: Endpoint, first: Uint8Array): Link | undefined {
    const { clock, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, opened, ended, ...rest } = this.options;
    const listening = this.#accepts.get(key(to));
    if (listening === undefined || rest.reachable?.(from.host, to.host) === false) return undefined;
    const arrival = listening.admission.admit(from.host);
    const [dialled, accepted] = MemoryLink.pair({
      ...rest,
      clock,
      dialler: from,
      listener: to,
      refusalMs: handshakeTimeoutMs,
      ended: () => {
        this.#links.delete(dialled);
        arrival?.left();
        ended?.(wire);
      },
    });
    const wire = new Wire(dialled, accepted);
    this.#links.add(dialled);
    opened?.(wire);
    if (arrival === undefined) {
      // As a socket does it: the connection is there, and closes.
      dialled.break(new MatryoshkaError('transport.closed', 'the connection closed'));
      return dialled;
    }
    rest.observe?.(from, to, first);
    if (arrival.silent) {
      accepted.close(new MatryoshkaError('session.refused'));
      return dialled;
    }
    // A listener waits so long for a first message, which may be lost on its way.
    const giveUp = (): void => {
      const reason = new MatryoshkaError('transport.closed', 'no first message came');
      clock.after(handshakeTimeoutMs, () => accepted.breakEnd(reason));
    };
    const travels = !dialled.loses && this.travel(from, to, first.length, () => this.#arrive(dialled, accepted, first, giveUp));
    if (!travels) giveUp();
    return dialled;
  }

  /** The first message is there. */
  #arrive(dialled: MemoryLink, accepted: MemoryLink, first: Uint8Array, giveUp: () => void): void {
    const listening = this.#accepts.get(key(accepted.local));
    if (listening === undefined) accepted.break(new MatryoshkaError('transport.closed', 'the listener closed'));
    if (listening === undefined || accepted.finished) return;
    if (dialled.losesInFlight) {
      giveUp();
      return;
    }
    this.options.delivered?.(dialled.local, accepted.local, first);
    listening.accept(accepted, first);
  }

  /** Runs `arrive` when so many bytes sent now would be there; false where they never are. */
  travel(from: Endpoint, to: Endpoint, length: number, arrive: () => void): boolean {
    const delayMs = this.options.delayMs?.(from, to, length) ?? 0;
    if (delayMs === 0) this.options.clock.soon(arrive);
    else if (delayMs !== Number.POSITIVE_INFINITY) this.options.clock.after(delayMs, arrive);
    return delayMs !== Number.POSITIVE_INFINITY;
  }
}

class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly #network: Network;
  readonly #host: string;
  readonly #admission: Admission;

  constructor(network: Network, host: string, admission: Admission) {
    this.#network = network;
    this.#host = host;
    this.#admission = admission;
  }

  handles(endpoint: Endpoint): boolean {
    return endpoint.transport === 'tcp';
  }

  async dial(to: Endpoint, first: Uint8Array, { signal }: { readonly signal?: AbortSignal }): Promise<Link> {
    linkMessageLength([first]);
    if (!this.handles(to)) throw dialFailed(to, 'only tcp endpoints are known here');
    const copy = first.slice();
    const network = this.#network;
    const from: Endpoint = { transport: 'tcp', host: this.#host, port: network.ephemeralPort() };
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(dialAborted(to, signal));
      let settled = false;
      const settle = (): void => {
        settled = true;
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: MatryoshkaError): void => {
        settle();
        reject(error);
      };
      const abort = (): void => fail(dialAborted(to, signal as AbortSignal));
      const timer = network.options.clock.after(CONNECT_TIMEOUT_MS, () => fail(dialFailed(to, 'it took too long')));
      signal?.addEventListener('abort', abort, { once: true });
      const connect = (): void => {
        if (settled) return;
        const link = network.connect(from, to, copy);
        if (link === undefined) return fail(dialFailed(to, 'nobody listens there'));
        settle();
        resolve(link);
      };
      // One round trip to connect, as with TCP.
      network.travel(from, to, 0, () => network.travel(to, from, 0, connect));
    });
  }

  async listen(on: Endpoint, accept: Accept): Promise<Listener> {
    if (!this.handles(on)) throw listenFailed(on, 'only tcp endpoints are known here');
    if (on.host !== this.#host && !UNSPECIFIED_HOSTS.includes(on.host)) throw listenFailed(on, `this host is ${this.#host}`);
    return this.#network.listen({ transport: 'tcp', host: this.#host, port: on.port }, accept, this.#admission);
  }
}

function key(endpoint: Endpoint): string {
  return `${endpoint.host} ${endpoint.port}`;
}

/**
 * A network within one process. Its transports know `tcp` endpoints, so that a node cannot tell it from the real one.
 */
export function memoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new Network(options);
}
