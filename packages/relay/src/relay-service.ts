import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import type { Clock, Link } from '@matryoshka/transport';
import {
  MatryoshkaError,
  RELAY_DATA_MORE,
  type ReasonCode,
  type RelayCreate,
  type RelayDestination,
  asMatryoshkaError,
} from '@matryoshka/wire';
import { Arrivals } from './arrivals.ts';
import { creditAccount } from './credit-account.ts';
import { CreditPool } from './credit-pool.ts';
import { greetings } from './greetings.ts';
import { LastHop } from './last-hop.ts';
import { refusalOf } from './link-end.ts';
import { LinkRegistry } from './link-registry.ts';
import { type Known, Neighbours } from './neighbours.ts';
import { NextHops } from './next-hops.ts';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
import { MAX_ATTEMPTS, MAX_BUDGET_MS, MAX_HOPS, type OpenRelayLink, Originator } from './originator.ts';
import type { RelayHost } from './relay-host.ts';
import { MAX_NESTING } from './relay-link.ts';
import { ServedLink, type ServedLinkHost } from './served-link.ts';

/**
 * A session with more control messages waiting than this, in bytes, is asked for nothing more: one neighbour's requests
 * must not end it with everybody's links (docs/protocol.md §11).
 */
const BUSY_CONTROL_BYTES: number = 256 * 1024;

/** Opens, serves and forwards relay links: one per node (R1-R12, R17, R18). */
export class RelayService implements RelayHandler, ServedLinkHost {
  readonly pool: CreditPool;
  readonly options: RelayOptions;
  readonly clock: Clock;
  readonly #host: RelayHost;
  readonly #nextHops: NextHops;
  readonly #lastHop: LastHop;
  readonly #arrivals: Arrivals;
  readonly #originator: Originator;
  readonly #links: LinkRegistry;
  /** Links that are forwarded, and the sessions that were asked to carry each on. */
  readonly #served = new Map<ServedLink, Set<Session>>();
  #enabled: boolean;

  constructor(host: RelayHost, options: Partial<RelayOptions> = {}) {
    this.#host = host;
    this.clock = host.clock;
    this.options = { ...DEFAULT_RELAY_OPTIONS, ...options };
    this.pool = new CreditPool(this.options.relayMemoryBytes);
    this.#enabled = this.options.enabled;
    const links = new LinkRegistry(host.clock, this.options.graceMs);
    this.#links = links;
    this.#nextHops = new NextHops(host, new Neighbours(host), this.options, links);
    this.#lastHop = new LastHop(host, this.options, (session) => links.count(session));
    const forget = (session: Session, port: bigint): void => this.forget(session, port);
    this.#arrivals = new Arrivals({ clock: host.clock, pool: this.pool, links, accept: host.accept, forget }, this.options);
    this.#originator = new Originator({ clock: host.clock, random: host.random, pool: this.pool, links, forget });
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
    return this.#links.size;
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
  open(request: OpenRelayLink, first: Uint8Array, signal?: AbortSignal): Promise<Link> {
    return this.#originator.open(request, first, signal);
  }

  // ---- RelayHandler ------------------------------------------------------------------------------------------------

  data(session: Session, high: number, low: number, flags: number, bytes: Uint8Array): void {
    if (flags > RELAY_DATA_MORE) throw new MatryoshkaError('wire.invalid', 'unknown flags of relay data');
    const end = this.#links.end(session, high, low);
    if (end === undefined) this.#stray(session, (BigInt(high) << 32n) | BigInt(low));
    else end.data(bytes, flags === RELAY_DATA_MORE);
  }

  message(session: Session, message: RelayMessage): void {
    switch (message.type) {
      case 'relay-create':
        this.#create(session, message);
        break;
      case 'relay-status': {
        const end = this.#links.endOf(session, message.port);
        if (end !== undefined) end.status(message);
        else if (message.status === 'accepted') this.#stray(session, message.port);
        break;
      }
      case 'relay-credit':
        this.#links.endOf(session, message.port)?.credited(message.total);
        break;
      case 'relay-close':
        this.#links.endOf(session, message.port)?.closedByPeer(new MatryoshkaError(message.reason));
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
    for (const end of this.#links.close(session)) end.carrierLost();
  }

  sessionStalled(session: Session): void {
    for (const end of this.#links.ends(session)) end.carrierStalled();
  }

  sessionFlowing(session: Session, resumed: boolean): void {
    for (const end of this.#links.ends(session)) end.carrierFlowing(resumed);
  }

  // ---- ServedLinkHost ----------------------------------------------------------------------------------------------

  forget(session: Session, port: bigint): void {
    if (this.#links.rest(session, port)) this.#lastHop.made.idle(session);
  }

  opened(link: ServedLink): void {
    this.#host.onServed('opened', link);
  }

  ended(link: ServedLink): void {
    this.#served.delete(link);
    this.#links.release(link.request.port);
    this.#host.onServed('closed', link);
  }

  retry(link: ServedLink): boolean {
    const tried = this.#served.get(link);
    if (tried === undefined || tried.size > link.request.attemptsLeft) return false;
    void this.#advance(link, tried);
    return true;
  }

  // ------------------------------------------------------------------------------------------------------------------

  #create(session: Session, message: RelayCreate): void {
    const { port } = message;
    const reason = this.#refusal(session, message);
    const account = creditAccount(session, this.#host.sessions());
    const window = reason === undefined ? this.pool.take(account) : undefined;
    if (window === undefined) {
      session.send(refusalOf(port, new MatryoshkaError(reason ?? 'relay.busy')));
      return;
    }
    const request: RelayCreate = {
      ...message,
      // Whoever asks for more gets no more than an originator may ask for.
      attemptsLeft: Math.min(message.attemptsLeft, MAX_ATTEMPTS),
      budgetMs: Math.min(message.budgetMs, MAX_BUDGET_MS),
      // Kept past the call: the request borrows from the record it came in.
      request: message.request.slice(),
      destination: copyDestination(message.destination),
    };
    this.#links.hold(port);
    if (message.hopsLeft === 0) {
      this.#arrivals.arrive(session, request, window, account);
      return;
    }
    const served = new ServedLink(this, session, request, window, account);
    const tried = new Set<Session>();
    this.#served.set(served, tried);
    this.#links.add(session, port, served.upstream);
    this.#host.onServed('requested', served);
    void this.#advance(served, tried);
  }

  #refusal(session: Session, { hopsLeft, port }: RelayCreate): ReasonCode | undefined {
    if (!this.#enabled || (hopsLeft > 0 && !this.options.forward)) return 'relay.disabled';
    if (hopsLeft >= MAX_HOPS) return 'relay.hops-invalid';
    if (session.link.info.nesting >= MAX_NESTING) return 'relay.nesting-exceeded';
    // A destination looks at this session only; a relay at all of them (R6).
    if (this.#links.taken(session, port) || (hopsLeft > 0 && this.#links.held(port))) return 'relay.port-in-use';
    return undefined;
  }

  /** Finds the next hop and asks it. */
  async #advance(served: ServedLink, tried: Set<Session>): Promise<void> {
    try {
      const session = await this.#nextHop(served, tried);
      if (served.state !== 'choosing') return;
      tried.add(session);
      const { port } = served.request;
      if (!session.sending || session.stalled) throw new MatryoshkaError('relay.carrier-lost');
      if (this.#links.taken(session, port)) throw new MatryoshkaError('relay.port-in-use');
      const busy = session.outbox.controlBytes > BUSY_CONTROL_BYTES;
      const window = busy ? undefined : this.pool.take(served.account);
      if (window === undefined) throw new MatryoshkaError('relay.busy');
      this.#links.add(session, port, served.ask(session, window, tried.size));
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
    const next = (): Session => this.#nextHops.next({ previous, destination, port, hopsLeft, tried });
    try {
      return next();
    } catch (error) {
      if (!(await greetings(this.#host.sessions(), this.#host.clock))) throw error;
      return next();
    }
  }

  /** A late message is let go; otherwise the other side hears once that the port leads nowhere (R14). */
  #stray(session: Session, port: bigint): void {
    if (port === 0n) throw new MatryoshkaError('wire.invalid', 'relay port 0');
    if (this.#links.stray(session, port)) session.send({ type: 'relay-close', port, reason: 'relay.unknown-port' });
  }
}

function copyDestination(destination: RelayDestination): RelayDestination {
  return {
    ...(destination.endpoint !== undefined && { endpoint: destination.endpoint }),
    ...(destination.peer !== undefined && { peer: destination.peer.slice() }),
    ...(destination.relay !== undefined && { relay: destination.relay.slice() }),
  };
}
