import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import { randomBetween, randomU64 } from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import {
  type Endpoint,
  MatryoshkaError,
  RELAY_DATA_MORE,
  type ReasonCode,
  type RelayCreate,
  type RelayDestination,
  asMatryoshkaError,
} from '@matryoshka/wire';
import { Arrivals } from './arrivals.ts';
import { CreditPool } from './credit-pool.ts';
import { LastHop } from './last-hop.ts';
import { type LinkEnd, refusalOf } from './link-end.ts';
import { type Known, Neighbours } from './neighbours.ts';
import { NextHops } from './next-hops.ts';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
import { portHalves } from './port-table.ts';
import type { RelayHost } from './relay-host.ts';
import { MAX_NESTING, RelayLink } from './relay-link.ts';
import { ServedLink, type ServedLinkHost } from './served-link.ts';
import { SessionLinks } from './session-links.ts';

/** Hops of a relayed connection are 1 to this many (R2). */
export const MAX_HOPS = 15;
/** How much longer than its request may take an originator waits for the answer, in milliseconds. */
const ANSWER_MARGIN_MS = 2_000;

/** What an originator asks for. */
export interface OpenRelayLink {
  readonly gateway: Session;
  readonly destination: RelayDestination;
  /** The destination as the user named it; the remote endpoint of the link. */
  readonly remote: Endpoint;
  /** 1 to 15 (R2). */
  readonly hops: number;
}

/** Opens, serves and forwards relay links: one per node (R1-R12, R17, R18). */
export class RelayService implements RelayHandler, ServedLinkHost {
  readonly pool: CreditPool;
  readonly options: RelayOptions;
  readonly clock: Clock;
  readonly #host: RelayHost;
  readonly #nextHops: NextHops;
  readonly #lastHop: LastHop;
  readonly #arrivals: Arrivals;
  readonly #sessions = new Map<Session, SessionLinks>();
  /** How many links of this node have a port: a request for one of them has come in a circle (R6). */
  readonly #ports = new Map<bigint, number>();
  /** Links that are forwarded, and the sessions that were asked to carry each on. */
  readonly #served = new Map<ServedLink, Set<Session>>();
  #enabled: boolean;

  constructor(host: RelayHost, options: Partial<RelayOptions> = {}) {
    this.#host = host;
    this.clock = host.clock;
    this.options = { ...DEFAULT_RELAY_OPTIONS, ...options };
    this.pool = new CreditPool(this.options.relayMemoryBytes);
    this.#enabled = this.options.enabled;
    const count = (session: Session): number => this.#sessions.get(session)?.size ?? 0;
    const taken = (session: Session, port: bigint): boolean => this.#sessions.get(session)?.taken(port, host.clock.now()) ?? false;
    this.#nextHops = new NextHops(host, new Neighbours(host), this.options, { count, taken });
    this.#lastHop = new LastHop(host, this.options, count);
    this.#arrivals = new Arrivals(
      { clock: host.clock, pool: this.pool, accept: host.accept, forget: (session, port) => this.#forgetEnd(session, port) },
      this.options,
    );
  }

  /** Whether relay links are served (R1). */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Switches serving on or off; off ends all that is served with `relay.disabled` (R1). */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    if (!enabled) this.shut(new MatryoshkaError('relay.disabled'));
  }

  /** Relay links that this node forwards for others. */
  get served(): Iterable<ServedLink> {
    return this.#served.keys();
  }

  /** Ends of relay links on all sessions: one's own, accepted ones, and both sides of those that are forwarded. */
  get linkEnds(): number {
    let ends = 0;
    for (const links of this.#sessions.values()) ends += links.size;
    return ends;
  }

  /** Ends every link that is served. */
  shut(reason: MatryoshkaError): void {
    for (const link of [...this.#served.keys()]) link.shut(reason);
    this.#arrivals.shut(reason);
  }

  /** The first relay of one's own link over two hops or more (R18). @throws MatryoshkaError `relay.no-peers-available` */
  chooseGateway(destination: RelayDestination, hops: number): Session {
    return this.#nextHops.gateway(destination, hops);
  }

  /** Whether a peer that is not connected yet could be such a relay. */
  mayBeGateway(candidate: Known, destination: RelayDestination): boolean {
    return this.#nextHops.mayBeGateway(candidate, destination);
  }

  /** The user has got hold of a session: it does not close by itself, even if it was made to serve relay links. */
  keep(session: Session): void {
    this.#lastHop.made.keep(session);
  }

  /**
   * Opens a relay link through `gateway`; resolves once the destination has accepted, its answer being the link's first
   * message.
   * @throws MatryoshkaError `relay.hops-invalid`, `relay.nesting-exceeded`, `relay.timeout`, `aborted`, or what the
   * request was refused with
   */
  async open(request: OpenRelayLink, first: Uint8Array, signal?: AbortSignal): Promise<Link> {
    const { gateway, hops } = request;
    if (!Number.isInteger(hops) || hops < 1 || hops > MAX_HOPS)
      throw new MatryoshkaError('relay.hops-invalid', `hops must be a whole number from 1 to ${MAX_HOPS}, not ${hops}`);
    if (gateway.link.info.nesting >= MAX_NESTING)
      throw new MatryoshkaError('relay.nesting-exceeded', `connections are nested ${MAX_NESTING} deep at most`);
    if (signal?.aborted === true) throw aborted(signal);
    if (!gateway.sending) throw new MatryoshkaError('relay.carrier-lost', 'the connection to the gateway is closed');
    const window = this.pool.take();
    if (window === undefined) throw new MatryoshkaError('relay.busy', 'the relay memory of this node is used up');
    return new Promise((resolve, reject) => this.#request(request, first, window, signal, { resolve, reject }));
  }

  // ---- RelayHandler ------------------------------------------------------------------------------------------------

  data(session: Session, high: number, low: number, flags: number, bytes: Uint8Array): void {
    if (flags > RELAY_DATA_MORE) throw new MatryoshkaError('wire.invalid', 'unknown flags of relay data');
    const end = this.#sessions.get(session)?.end(high, low);
    if (end === undefined) this.#stray(session, (BigInt(high) << 32n) | BigInt(low));
    else end.data(bytes, flags === RELAY_DATA_MORE);
  }

  message(session: Session, message: RelayMessage): void {
    switch (message.type) {
      case 'relay-create':
        this.#create(session, message);
        break;
      case 'relay-status': {
        const end = this.#end(session, message.port);
        if (end !== undefined) end.status(message);
        else if (message.status === 'accepted') this.#stray(session, message.port);
        break;
      }
      case 'relay-credit':
        this.#end(session, message.port)?.credited(message.total);
        break;
      case 'relay-close':
        this.#end(session, message.port)?.closedByPeer(new MatryoshkaError(message.reason));
        break;
      case 'relay-data':
        throw new MatryoshkaError('wire.truncated');
      case 'relay-credit-return':
      case 'relay-register':
      case 'relay-meet':
        throw new MatryoshkaError('relay.protocol', `${message.type} is not served by this version`);
      default:
        message satisfies never;
    }
  }

  sessionClosed(session: Session): void {
    const links = this.#sessions.get(session);
    this.#sessions.delete(session);
    for (const end of links?.ends() ?? []) end.carrierLost();
  }

  // ---- ServedLinkHost ----------------------------------------------------------------------------------------------

  forget(session: Session, port: bigint): void {
    const links = this.#sessions.get(session);
    if (links === undefined) return;
    const now = this.clock.now();
    links.rest(port, now, now + this.options.graceMs);
    if (links.size === 0) this.#lastHop.made.idle(session);
  }

  opened(link: ServedLink): void {
    this.#host.onServed('opened', link);
  }

  ended(link: ServedLink): void {
    this.#served.delete(link);
    this.#release(link.request.port);
    this.#host.onServed('closed', link);
  }

  retry(link: ServedLink): boolean {
    const tried = this.#served.get(link);
    if (tried === undefined || tried.size > link.request.attemptsLeft) return false;
    void this.#advance(link, tried);
    return true;
  }

  // ------------------------------------------------------------------------------------------------------------------

  #request(
    request: OpenRelayLink,
    first: Uint8Array,
    window: number,
    signal: AbortSignal | undefined,
    settle: { resolve(link: Link): void; reject(error: MatryoshkaError): void },
  ): void {
    const { gateway, hops, destination, remote } = request;
    const { random } = this.#host;
    const port = this.#freePort(gateway);
    // Drawn at random so that they do not name the originator (R15).
    const attemptsLeft = randomBetween(random, 4, 8);
    const budgetMs = randomBetween(random, 10_000, 30_000);
    const abort = (): void => link.close(aborted(signal));
    const timer = this.clock.after(budgetMs + ANSWER_MARGIN_MS, () => link.close(new MatryoshkaError('relay.timeout')));
    const link: RelayLink = new RelayLink({
      clock: this.clock,
      pool: this.pool,
      session: gateway,
      port,
      role: 'originator',
      remote,
      window,
      credit: 0,
      forget: () => this.#forgetEnd(gateway, port),
      answered: (error) => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        if (error === undefined) settle.resolve(link);
        else settle.reject(error);
      },
    });
    this.#hold(port);
    this.#of(gateway).add(port, link);
    signal?.addEventListener('abort', abort, { once: true });
    gateway.send({ type: 'relay-create', port, hopsLeft: hops - 1, attemptsLeft, budgetMs, window, destination, request: first });
  }

  #create(session: Session, message: RelayCreate): void {
    const { port } = message;
    const links = this.#of(session);
    const reason = this.#refusal(session, links, message);
    const window = reason === undefined ? this.pool.take() : undefined;
    if (window === undefined) {
      session.send(refusalOf(port, new MatryoshkaError(reason ?? 'relay.busy')));
      return;
    }
    // Kept past the call: the request borrows from the record it came in.
    const request = { ...message, request: message.request.slice(), destination: copyDestination(message.destination) };
    this.#hold(port);
    if (message.hopsLeft === 0) {
      this.#arrivals.arrive(session, request, window, (link) => links.add(port, link));
      return;
    }
    const served = new ServedLink(this, session, request, window);
    const tried = new Set<Session>();
    this.#served.set(served, tried);
    links.add(port, served.upstream);
    this.#host.onServed('requested', served);
    void this.#advance(served, tried);
  }

  #refusal(session: Session, links: SessionLinks, { hopsLeft, port }: RelayCreate): ReasonCode | undefined {
    if (!this.#enabled || (hopsLeft > 0 && !this.options.forward)) return 'relay.disabled';
    if (hopsLeft >= MAX_HOPS) return 'relay.hops-invalid';
    if (session.link.info.nesting >= MAX_NESTING) return 'relay.nesting-exceeded';
    // A destination looks at this session only; a relay at all of them (R6).
    if (links.taken(port, this.clock.now()) || (hopsLeft > 0 && this.#ports.has(port))) return 'relay.port-in-use';
    return undefined;
  }

  /** Finds the next hop and asks it. */
  async #advance(served: ServedLink, tried: Set<Session>): Promise<void> {
    try {
      const session = await this.#nextHop(served, tried);
      if (served.state !== 'choosing') return;
      tried.add(session);
      const links = this.#of(session);
      const { port } = served.request;
      if (!session.sending) throw new MatryoshkaError('relay.carrier-lost');
      if (links.taken(port, this.clock.now())) throw new MatryoshkaError('relay.port-in-use');
      const window = this.pool.take();
      if (window === undefined) throw new MatryoshkaError('relay.busy');
      links.add(port, served.ask(session, window, tried.size));
    } catch (error) {
      served.refuse(asMatryoshkaError(error, 'bug'));
    }
  }

  async #nextHop({ upstream, request }: ServedLink, tried: ReadonlySet<Session>): Promise<Session> {
    const previous = upstream.session;
    const { destination, hopsLeft, port } = request;
    if (hopsLeft === 1) return this.#lastHop.reach(previous, destination);
    // The peer is at a relay, and one hop is left before it: that relay is the last hop (R3).
    const { relay, endpoint } = destination;
    if (hopsLeft === 2 && relay !== undefined) return this.#lastHop.reach(previous, { peer: relay, ...(endpoint && { endpoint }) });
    return this.#nextHops.next({ previous, destination, port, hopsLeft, tried });
  }

  #forgetEnd(session: Session, port: bigint): void {
    this.#release(port);
    this.forget(session, port);
  }

  #hold(port: bigint): void {
    this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
  }

  #release(port: bigint): void {
    const left = (this.#ports.get(port) ?? 0) - 1;
    if (left > 0) this.#ports.set(port, left);
    else this.#ports.delete(port);
  }

  #freePort(session: Session): bigint {
    for (;;) {
      const port = randomU64(this.#host.random);
      if (!this.#ports.has(port) && !this.#of(session).taken(port, this.clock.now())) return port;
    }
  }

  /** The links of a session that is open. */
  #of(session: Session): SessionLinks {
    let links = this.#sessions.get(session);
    if (links === undefined) {
      links = new SessionLinks();
      if (session.sending) this.#sessions.set(session, links);
    }
    return links;
  }

  #end(session: Session, port: bigint): LinkEnd | undefined {
    const { high, low } = portHalves(port);
    return this.#sessions.get(session)?.end(high, low);
  }

  /** A late message is let go; otherwise the other side hears once that the port leads nowhere (R14). */
  #stray(session: Session, port: bigint): void {
    if (port === 0n) throw new MatryoshkaError('wire.invalid', 'relay port 0');
    const now = this.clock.now();
    if (this.#of(session).stray(port, now, now + this.options.graceMs))
      session.send({ type: 'relay-close', port, reason: 'relay.unknown-port' });
  }
}

function aborted(signal: AbortSignal | undefined): MatryoshkaError {
  return new MatryoshkaError('aborted', undefined, { cause: signal?.reason });
}

function copyDestination(destination: RelayDestination): RelayDestination {
  return {
    ...(destination.endpoint !== undefined && { endpoint: destination.endpoint }),
    ...(destination.peer !== undefined && { peer: destination.peer.slice() }),
    ...(destination.relay !== undefined && { relay: destination.relay.slice() }),
  };
}
