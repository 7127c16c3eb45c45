import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import {
  MatryoshkaError,
  RELAY_DATA_MORE,
  type RelayCreate,
  type RelayDestination,
  type RelayMeet,
  type RelayRegister,
  asMatryoshkaError,
  statedReason,
} from '@matryoshka/wire';
import { Accounts } from './account.ts';
import { Allowances, type Claim } from './allowance.ts';
import { OnwardAllowances } from './allowance-onward.ts';
import { Arrivals } from './arrivals.ts';
import { copyDestination } from './copy-destination.ts';
import { creditAccount } from './credit-account.ts';
import { CreditPool } from './credit-pool.ts';
import { IdleCredit } from './idle-credit.ts';
import { HopSearch, type HopSearchHost, isBusy, laterThan } from './hop-search.ts';
import { LastHop } from './last-hop.ts';
import { refusalOf } from './link-end.ts';
import { LinkRegistry } from './link-registry.ts';
import { Meetings, type Waiting } from './meetings.ts';
import { type Known, Neighbours, peerIdOf } from './neighbours.ts';
import { type LinkCounts, NextHops } from './next-hops.ts';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
import { MAX_ATTEMPTS, MAX_BUDGET_MS, MAX_HOPS, type MeetAtRelay, type Met, type OpenRelayLink, Originator } from './originator.ts';
import { RelayLimiter, type RelayLimitSettings, UNLIMITED } from './relay-limits.ts';
import type { RelayHost, RelayRefusal } from './relay-host.ts';
import { PortNaming, type RelayPorts, requestMark } from './port-naming.ts';
import { MAX_NESTING } from './relay-link.ts';
import { Registrations } from './registrations.ts';
import type { Failure } from './request-budget.ts';
import { type Deed, Reputations } from './reputation.ts';
import { ServedLink, type ServedLinkHost } from './served-link.ts';

/** A link that is forwarded, while it is. */
interface Serving {
  readonly search: Pick<HopSearch, 'answered' | 'ended' | 'again'>;
  /** What it counts as in its sender's allowance. */
  readonly claim: Claim;
}

/** Opens, serves and forwards relay links: one per node (R1-R12, R14, R17, R18). */
export class RelayService implements RelayHandler, ServedLinkHost {
  /** Where the windows of all links come from. */
  readonly pool: CreditPool;
  /** As it was made with; whether it serves links now is `enabled` of the service. */
  readonly options: RelayOptions;
  /** Time. */
  readonly clock: Clock;
  /** Who has credit without using it. */
  readonly idleCredit: IdleCredit;
  /** What links that are forwarded are held to (R16). */
  readonly limiter: RelayLimiter;
  /** What neighbours may ask. */
  readonly allowances: Allowances;
  /** What they did. */
  readonly reputations: Reputations;
  /** Who is reached through this node because it asked for that. */
  readonly registrations: Registrations;
  readonly #accounts = new Accounts();
  readonly #onward: OnwardAllowances;
  readonly #host: RelayHost;
  readonly #nextHops: NextHops;
  readonly #lastHop: LastHop;
  readonly #arrivals: Arrivals;
  readonly #originator: Originator;
  readonly #meetings: Meetings;
  readonly #links: LinkRegistry;
  readonly #ports: PortNaming;
  readonly #searching: HopSearchHost;
  readonly #served = new Map<ServedLink, Serving>();
  #enabled: boolean;
  #whenLinkless: (() => void) | undefined;

  constructor(host: RelayHost, options: Partial<RelayOptions> = {}) {
    this.#host = host;
    this.clock = host.clock;
    this.options = { ...DEFAULT_RELAY_OPTIONS, ...options };
    this.pool = new CreditPool(this.options.relayMemoryBytes);
    this.idleCredit = new IdleCredit(host.clock);
    this.limiter = new RelayLimiter(host.clock, this.options.limits);
    this.#enabled = this.options.enabled;
    const links = new LinkRegistry(host.clock, this.options.graceMs);
    this.#links = links;
    this.#ports = new PortNaming(links, host.random, this.options.relayPorts);
    this.allowances = new Allowances(
      { clock: host.clock, sessions: () => host.sessions(), isKnown: (peerId) => host.isKnown?.(peerId) ?? false },
      this.options.allowances,
    );
    this.reputations = new Reputations(host.clock, this.options.reputation);
    this.#onward = new OnwardAllowances(host.clock);
    const counts: LinkCounts = {
      count: (session) => links.count(session),
      free: (session, port) => this.#ports.free(session, port),
      room: (session) => !isBusy(session) && this.#onward.room(session),
    };
    this.#nextHops = new NextHops(host, new Neighbours(host), this.options, counts);
    this.registrations = new Registrations(
      {
        forwards: () => this.#enabled && this.options.forward,
        isKnown: (peerId) => host.isKnown?.(peerId) ?? false,
        refusesForMs: (session) => this.reputations.refusesForMs(session),
      },
      this.options.registrations,
    );
    const registered = (session: Session): boolean => this.registrations.has(session);
    this.#lastHop = new LastHop(host, this.options, (session) => links.count(session), registered);
    const forget = (session: Session, port: bigint): void => this.forget(session, port);
    this.#arrivals = new Arrivals({ clock: host.clock, idleCredit: this.idleCredit, links, accept: host.accept, forget }, this.options);
    this.#searching = {
      clock: host.clock,
      pool: this.pool,
      links,
      ports: this.#ports,
      nextHops: this.#nextHops,
      lastHop: this.#lastHop,
      sessions: () => host.sessions(),
      request: (session) => this.#onward.request(session),
    };
    const claim = (session: Session): Claim => this.#claimOn(session);
    this.#originator = new Originator({
      clock: host.clock,
      random: host.random,
      pool: this.pool,
      idleCredit: this.idleCredit,
      links,
      ports: this.#ports,
      claim,
      forget,
      expected: (session, request, window, held) => this.#arrivals.expected(session, request, window, held),
    });
    this.#meetings = new Meetings({ clock: host.clock, links, forget });
  }

  /** Whether relay links are served (R1). */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Switches serving on or off; off ends all that is served with `relay.disabled` (R1). */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    if (enabled) return;
    this.registrations.shut('relay.disabled');
    this.shut(new MatryoshkaError('relay.disabled'));
  }

  /** From now on the relay ports of links that are forwarded go on like this (R6). */
  setRelayPorts(ports: RelayPorts): void {
    this.#ports.set(ports);
  }

  /** From now on links that are forwarded are held to other limits, those that are open as well (R16). */
  updateLimits(settings: RelayLimitSettings): void {
    this.limiter.update(settings);
    for (const link of this.#served.keys()) link.limitAge();
  }

  /** Relay links that this node forwards for others. */
  get served(): Iterable<ServedLink> {
    return this.#served.keys();
  }

  /** Ends of relay links on all sessions: one's own, accepted ones, and both sides of those that are forwarded. */
  get linkEnds(): number {
    return this.#links.size;
  }

  /** Waits until there are no links any more, for so long: what closes may still have to be sent. */
  async linkless(timeoutMs: number): Promise<void> {
    if (this.linkEnds === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.clock.after(timeoutMs, resolve);
    this.#whenLinkless = resolve;
    await promise;
    timer.cancel();
  }

  /** Ends every link that is served. */
  shut(reason: MatryoshkaError): void {
    for (const link of [...this.#served.keys()]) link.shut(reason);
    this.#meetings.shut(reason);
    this.#arrivals.shut(reason);
  }

  /**
   * The first relay of one's own link over two hops or more (R18).
   * @param avoid - whom not to choose
   * @throws MatryoshkaError `relay.no-peers-available`
   */
  chooseGateway(destination: RelayDestination, hops: number, avoid?: Iterable<PeerId>): Session {
    return this.#nextHops.gateway(destination, hops, avoid);
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

  /**
   * Presents a token at a relay, and resolves once somebody else has presented the same (docs/protocol.md §8.7).
   * @throws MatryoshkaError `relay.nobody-met`, `aborted`, or what the request was refused with
   */
  meet(request: MeetAtRelay, first: Uint8Array, signal?: AbortSignal): Promise<Met> {
    return this.#originator.meet(request, first, signal);
  }

  /** The other side of a session did what costs reputation; it may have been too much. */
  did(session: Session, deed: Deed): void {
    if (this.reputations.did(session, deed)) this.#turnOut(session);
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
        this.#links.endOf(session, message.port)?.closedByPeer(statedReason(message.reason));
        break;
      case 'relay-data':
        throw new MatryoshkaError('wire.truncated');
      case 'relay-credit-return':
        this.#links.endOf(session, message.port)?.returned(message.bytes);
        break;
      case 'relay-register':
        this.#registration(session, message);
        break;
      case 'relay-meet':
        if (!this.#originator.met(session, message)) this.#meet(session, message);
        break;
      default:
        message satisfies never;
    }
  }

  /** All links that this session carries are lost. */
  sessionClosed(session: Session): void {
    this.registrations.forget(session);
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
    if (this.#whenLinkless !== undefined && this.linkEnds === 0) this.#whenLinkless();
  }

  opened(link: ServedLink): void {
    const serving = this.#served.get(link);
    serving?.claim.answered();
    serving?.search.answered();
    this.#host.onServed('opened', link);
  }

  ended(link: ServedLink): void {
    const serving = this.#served.get(link);
    serving?.claim.ended();
    serving?.search.ended();
    this.#served.delete(link);
    this.#links.release(link.request.port, link.mark);
    this.#host.onServed('closed', link);
  }

  retry(link: ServedLink, failure: Failure): boolean {
    return this.#served.get(link)?.search.again(failure) ?? false;
  }

  // ------------------------------------------------------------------------------------------------------------------

  /** What a request counts as; undefined: it was refused. */
  #claimOf(session: Session, port: bigint): Claim | undefined {
    const claim = this.#allowed(session);
    if (!('reason' in claim)) return claim;
    session.send(refusalOf(port, laterThan('relay.rate-limited', claim.retryAfterMs)));
    this.#host.onRefused?.(claim.reason);
    if (this.reputations.refused(session)) this.#turnOut(session);
    return undefined;
  }

  /** Somebody wants to meet whoever has the same token: waits, or is joined with who does. */
  #meet(session: Session, message: RelayMeet): void {
    const { port, token } = message;
    const claim = this.#claimOf(session, port);
    if (claim === undefined) return;
    const refused = this.#refusal(session, { ...message, hopsLeft: 1 });
    const waiting = refused === undefined ? this.#meetings.take(token) : undefined;
    try {
      if (refused !== undefined) throw refused;
      if (waiting === undefined) this.#meetings.wait(session, port, token.slice(), claim);
      else this.#join(session, message, claim, waiting);
    } catch (error) {
      claim.ended();
      const refusal = asMatryoshkaError(error, 'bug');
      session.send(refusalOf(port, refusal));
      waiting?.shut(refusal);
    }
  }

  /** @throws MatryoshkaError `relay.busy` */
  #join(session: Session, message: RelayMeet, claim: Claim, waiting: Waiting): void {
    const { port, window: credit } = message;
    const account = this.#accounts.of(creditAccount(session, this.#host.sessions()));
    const refused = this.limiter.refusal(account);
    if (refused !== undefined) throw refused;
    const windows = [this.pool.take(account), this.pool.take(account)];
    const [upstream, downstream] = windows;
    if (upstream === undefined || downstream === undefined) {
      for (const window of windows) window?.release();
      throw new MatryoshkaError('relay.busy');
    }
    const [token, request] = [message.token.slice(), message.request.slice()];
    const budgetMs = MAX_BUDGET_MS;
    const create: RelayCreate = {
      type: 'relay-create',
      port,
      hopsLeft: 1,
      attemptsLeft: 0,
      budgetMs,
      window: credit,
      destination: {},
      request,
    };
    const served = new ServedLink(this, session, create, upstream, account, token);
    const search = { answered: () => waiting.claim.answered(), ended: () => waiting.claim.ended(), again: () => false };
    this.#served.set(served, { search, claim });
    this.#links.hold(port, served.mark);
    this.#links.add(session, port, served.upstream);
    this.#host.onServed('requested', served);
    this.#links.add(
      waiting.session,
      waiting.port,
      served.ask(waiting.session, waiting.port, downstream, { attemptsLeft: 0, budgetMs, patienceMs: undefined }),
    );
  }

  #create(session: Session, message: RelayCreate): void {
    const { port } = message;
    const claim = this.#claimOf(session, port);
    if (claim === undefined) return;
    const account = this.#accounts.of(creditAccount(session, this.#host.sessions()));
    const refusal = this.#refusal(session, message) ?? (message.hopsLeft > 0 ? this.limiter.refusal(account) : undefined);
    const window = refusal === undefined ? this.pool.take(account) : undefined;
    if (window === undefined) {
      claim.ended();
      const limits = message.hopsLeft > 0 ? this.limiter.told : UNLIMITED;
      session.send({ ...refusalOf(port, refusal ?? new MatryoshkaError('relay.busy')), limits });
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
    if (message.hopsLeft === 0) {
      this.#arrivals.arrive(session, request, window, claim);
      return;
    }
    const served = new ServedLink(this, session, request, window, account);
    const search = new HopSearch(this.#searching, served);
    this.#served.set(served, { search, claim });
    this.#links.hold(port, served.mark);
    this.#links.add(session, port, served.upstream);
    this.#host.onServed('requested', served);
    void search.advance();
  }

  #registration(session: Session, message: RelayRegister): void {
    if (message.status === 'asked') this.registrations.asked(session);
    else if (message.status === 'withdrawn') this.registrations.forget(session);
    else this.#host.onRegistration?.(session, message);
  }

  /** A neighbour has lost its reputation: all of its own connections end, whichever it misbehaved on. */
  #turnOut(session: Session): void {
    const reason = new MatryoshkaError('session.refused');
    const peerId = peerIdOf(session);
    session.close(reason);
    if (peerId === undefined) return;
    for (const other of [...this.#host.sessions()])
      if (other !== session && other.link.info.kind === 'direct' && peerIdOf(other) === peerId) other.close(reason);
  }

  /** Takes the request within its sender's allowance, and its reputation. */
  #allowed(session: Session): Claim | { readonly reason: RelayRefusal; readonly retryAfterMs: number } {
    const mistrustedMs = this.reputations.refusesForMs(session);
    if (mistrustedMs > 0) return { reason: 'relay-reputation', retryAfterMs: mistrustedMs };
    return this.allowances.request(session);
  }

  #refusal(session: Session, { hopsLeft, port, request }: Pick<RelayCreate, 'hopsLeft' | 'port' | 'request'>): MatryoshkaError | undefined {
    if (!this.#enabled || (hopsLeft > 0 && !this.options.forward)) return new MatryoshkaError('relay.disabled');
    if (hopsLeft >= MAX_HOPS) return new MatryoshkaError('relay.hops-invalid');
    if (session.link.info.nesting >= MAX_NESTING) return new MatryoshkaError('relay.nesting-exceeded');
    // A destination looks at this session only; a relay at all of them (R6).
    const used = this.#links.taken(session, port) || (hopsLeft > 0 && (this.#links.held(port) || this.#links.held(requestMark(request))));
    return used ? new MatryoshkaError('relay.port-in-use') : undefined;
  }

  /** Keeps within what the gateway allows. @throws MatryoshkaError `relay.rate-limited`, with the time until there is room */
  #claimOn(session: Session): Claim {
    const claim = this.#onward.request(session);
    if (!('reason' in claim)) return claim;
    throw laterThan('relay.rate-limited', claim.retryAfterMs, 'the next relay allows no more requests for now');
  }

  /** A late message is let go; otherwise the other side hears once that the port leads nowhere (R14). */
  #stray(session: Session, port: bigint): void {
    if (port === 0n) throw new MatryoshkaError('wire.invalid', 'relay port 0');
    if (!this.#links.stray(session, port)) return;
    session.send({ type: 'relay-close', port, reason: 'relay.unknown-port' });
    this.did(session, 'unknown-port');
  }
}
