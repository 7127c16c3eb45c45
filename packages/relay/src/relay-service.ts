import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import { type PeerId, type Random, randomBetween, randomU64 } from '@matryoshka/session';
import type { Accept, Clock, Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, RELAY_DATA_MORE, type RelayCreate, type RelayDestination, asMatryoshkaError } from '@matryoshka/wire';
import { CreditPool } from './credit-pool.ts';
import type { LinkEnd } from './link-end.ts';
import { NextHops } from './next-hops.ts';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
import { peerIdOf } from './neighbours.ts';
import { portHalves } from './port-table.ts';
import { MAX_NESTING, RelayLink, UNLIMITED } from './relay-link.ts';
import { ServedLink, type ServedLinkHost } from './served-link.ts';
import { SessionLinks } from './session-links.ts';

/** Hops of a relayed connection are 1 to this many (R2). */
export const MAX_HOPS = 15;

/** What the relay service gets from the node it runs in. */
export interface RelayHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly peerId: PeerId;
  /** Ready sessions. */
  sessions(): Iterable<Session>;
  /** Where this node itself is, as far as it knows. */
  ownEndpoints(): readonly Endpoint[];
  /** Makes a direct connection, for a last hop. */
  dial(endpoint: Endpoint, demand: PeerId | undefined, signal: AbortSignal): Promise<Session>;
  /** Takes a relay link that ends here, with its first handshake message. */
  accept: Accept;
  /** Something happened to a relay link served here. */
  onServed(event: 'requested' | 'opened' | 'closed', link: ServedLink): void;
}

/** What an originator asks for. */
export interface OpenRelayLink {
  readonly gateway: Session;
  readonly destination: RelayDestination;
  /** The destination as the user named it; the remote endpoint of the link. */
  readonly remote: Endpoint;
  /** 1 to 15 (R2). */
  readonly hops: number;
}

/** Opens, serves and forwards relay links: one per node (design: R1-R12, R17, R18). */
export class RelayService implements RelayHandler, ServedLinkHost {
  readonly pool: CreditPool;
  readonly options: RelayOptions;
  readonly #host: RelayHost;
  readonly #nextHops: NextHops;
  readonly #sessions = new Map<Session, SessionLinks>();
  /** Ports of the links that go through this node: a request for one of them has come in a circle (R6). */
  readonly #ports = new Set<bigint>();
  readonly #served = new Map<ServedLink, Set<Session>>();
  readonly #accepted = new Set<RelayLink>();
  #enabled: boolean;
  #undecided = 0;

  constructor(host: RelayHost, options: Partial<RelayOptions> = {}) {
    this.#host = host;
    this.options = { ...DEFAULT_RELAY_OPTIONS, ...options };
    this.pool = new CreditPool(this.options.relayMemoryBytes);
    this.#enabled = this.options.enabled;
    this.#nextHops = new NextHops(host, this.options, (session, port) => this.#of(session).taken(port, host.clock.now()), (session) => this.#of(session).size);
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

  /** Ends every link that is served. */
  shut(reason: MatryoshkaError): void {
    for (const link of [...this.#served.keys()]) link.shut(reason);
    for (const link of [...this.#accepted]) link.shut(reason);
  }

  /** Candidates for the first relay of one's own links (R18). @throws MatryoshkaError `relay.no-peers-available` */
  chooseGateway(destination: RelayDestination, hops: number): Session {
    return this.#nextHops.gateway(destination, hops);
  }

  /**
   * Opens a relay link through `gateway`; resolves once the destination has accepted, its answer being the link's first
   * message.
   * @throws MatryoshkaError `relay.hops-invalid`, `relay.nesting-exceeded`, `aborted`, or what the request was refused with
   */
  open(request: OpenRelayLink, first: Uint8Array, signal?: AbortSignal): Promise<Link> {
    const { gateway, hops } = request;
    if (!Number.isInteger(hops) || hops < 1 || hops > MAX_HOPS) return Promise.reject(new MatryoshkaError('relay.hops-invalid', `hops must be 1 to ${MAX_HOPS}, not ${hops}`));
    if (gateway.link.info.nesting >= MAX_NESTING) return Promise.reject(new MatryoshkaError('relay.nesting-exceeded', `connections are nested ${MAX_NESTING} deep at most`));
    if (!gateway.sending) return Promise.reject(new MatryoshkaError('relay.carrier-lost', 'the connection to the gateway is closed'));
    const window = this.pool.take();
    if (window === undefined) return Promise.reject(new MatryoshkaError('relay.busy', 'the relay memory of this node is used up'));
    return new Promise((resolve, reject) => {
      const port = this.#freePort(gateway);
      const abort = (): void => link.close(new MatryoshkaError('aborted', undefined, { cause: signal?.reason }));
      const link = new RelayLink({
        session: gateway,
        port,
        role: 'originator',
        remote: request.remote,
        window,
        credit: 0,
        forget: () => {
          this.#ports.delete(port);
          this.pool.give(window);
          this.forget(gateway, port);
        },
        answered: (error) => {
          signal?.removeEventListener('abort', abort);
          if (error === undefined) resolve(link);
          else reject(error);
        },
      });
      this.#ports.add(port);
      this.#of(gateway).add(port, link);
      const { random } = this.#host;
      // Drawn at random so that they do not name the originator (R15).
      const attemptsLeft = randomBetween(random, 4, 8);
      const budgetMs = randomBetween(random, 10_000, 30_000);
      gateway.send({ type: 'relay-create', port, hopsLeft: hops - 1, attemptsLeft, budgetMs, window, destination: request.destination, request: first });
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  // ---- RelayHandler ------------------------------------------------------------------------------------------------

  data(session: Session, high: number, low: number, flags: number, bytes: Uint8Array): void {
    const end = this.#sessions.get(session)?.end(high, low);
    if (end === undefined) this.#unknown(session, (BigInt(high) << 32n) | BigInt(low));
    else if (flags > RELAY_DATA_MORE) throw new MatryoshkaError('wire.invalid', 'unknown flags of relay data');
    else end.data(bytes, flags === RELAY_DATA_MORE);
  }

  message(session: Session, message: RelayMessage): void {
    switch (message.type) {
      case 'relay-create':
        this.#create(session, message);
        break;
      case 'relay-status':
        this.#end(session, message.port)?.status(message);
        break;
      case 'relay-credit':
        this.#end(session, message.port)?.credited(message.total);
        break;
      case 'relay-close': {
        const end = this.#end(session, message.port);
        end?.closedByPeer(new MatryoshkaError(message.reason));
        break;
      }
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

  after(ms: number, run: () => void): ReturnType<Clock['after']> {
    return this.#host.clock.after(ms, run);
  }

  forget(session: Session, port: bigint): void {
    const links = this.#sessions.get(session);
    if (links === undefined) return;
    const now = this.#host.clock.now();
    links.rest(port, now, now + this.options.graceMs);
    if (links.size === 0) this.#nextHops.idle(session, () => links.size === 0);
  }

  ended(link: ServedLink): void {
    this.#served.delete(link);
    this.#ports.delete(link.request.port);
    this.#host.onServed('closed', link);
  }

  retry(link: ServedLink): boolean {
    const tried = this.#served.get(link);
    // Only a random hop has others that could take its place (R15).
    if (tried === undefined || link.request.hopsLeft < 2 || tried.size > link.request.attemptsLeft) return false;
    void this.#advance(link, tried);
    return true;
  }

  // ------------------------------------------------------------------------------------------------------------------

  #create(session: Session, message: RelayCreate): void {
    const { port } = message;
    const links = this.#of(session);
    const reason = this.#refusal(session, links, message);
    const window = reason === undefined ? this.pool.take() : undefined;
    if (window === undefined) {
      session.send({ type: 'relay-status', port, status: 'refused', reason: reason ?? 'relay.busy', retryAfterMs: 0, limits: UNLIMITED });
      return;
    }
    // Kept past the call: the request borrows from the record it came in.
    const request = { ...message, request: message.request.slice(), destination: copyDestination(message.destination) };
    if (message.hopsLeft === 0) {
      this.#arrive(session, links, request, window);
      return;
    }
    const served = new ServedLink(this, session, request, window);
    const tried = new Set<Session>();
    this.#ports.add(port);
    this.#served.set(served, tried);
    links.add(port, served.upstream);
    this.#host.onServed('requested', served);
    void this.#advance(served, tried);
  }

  #refusal(session: Session, links: SessionLinks, { hopsLeft, port }: RelayCreate): 'relay.disabled' | 'relay.hops-invalid' | 'relay.nesting-exceeded' | 'relay.port-in-use' | undefined {
    if (!this.#enabled || (hopsLeft > 0 && !this.options.forward)) return 'relay.disabled';
    if (hopsLeft >= MAX_HOPS) return 'relay.hops-invalid';
    if (session.link.info.nesting >= MAX_NESTING) return 'relay.nesting-exceeded';
    // A destination looks at this session only; a relay at all of them (R6).
    if (links.taken(port, this.#host.clock.now()) || (hopsLeft > 0 && this.#ports.has(port))) return 'relay.port-in-use';
    return undefined;
  }

  /** Finds the next hop and asks it. */
  async #advance(served: ServedLink, tried: Set<Session>): Promise<void> {
    const startedMs = this.#host.clock.now();
    const { request, upstream } = served;
    try {
      const session = await this.#nextHops.next(upstream.session, request, tried);
      if (served.state !== 'choosing') return;
      tried.add(session);
      const links = this.#of(session);
      if (links.taken(request.port, this.#host.clock.now())) throw new MatryoshkaError('relay.port-in-use');
      const window = this.pool.take();
      if (window === undefined) throw new MatryoshkaError('relay.busy');
      const spentMs = this.#host.clock.now() - startedMs;
      const budgetMs = Math.max(1, Math.floor(request.budgetMs * 0.95 - spentMs));
      links.add(request.port, served.ask(session, { ...request, hopsLeft: request.hopsLeft - 1, attemptsLeft: Math.max(0, request.attemptsLeft - tried.size), budgetMs, window }));
    } catch (error) {
      served.refuse(asMatryoshkaError(error, 'bug'));
    }
  }

  /** This node is the destination: the user's hook decides, then the ordinary handshake begins (R10, R11). */
  #arrive(session: Session, links: SessionLinks, request: RelayCreate, window: number): void {
    const { port } = request;
    const link = new RelayLink({
      session,
      port,
      role: 'destination',
      remote: session.link.remote,
      window,
      credit: request.window,
      forget: () => {
        this.#accepted.delete(link);
        this.pool.give(window);
        this.forget(session, port);
      },
    });
    links.add(port, link);
    this.#accepted.add(link);
    const peerId = peerIdOf(session);
    let verdict: boolean | Promise<boolean>;
    try {
      verdict = this.options.accept?.({ previousHop: peerId, endpoint: session.link.remote, relayPort: port }) ?? true;
    } catch {
      verdict = false;
    }
    if (typeof verdict === 'boolean') this.#decide(link, request, verdict);
    else this.#await(link, request, verdict);
  }

  #decide(link: RelayLink, request: RelayCreate, accepted: boolean): void {
    if (accepted) this.#host.accept(link, request.request);
    else link.close(new MatryoshkaError('relay.refused'));
  }

  /** The hook takes its time: the request waits no longer than its budget (R10). */
  #await(link: RelayLink, request: RelayCreate, verdict: Promise<boolean>): void {
    if (this.#undecided >= this.options.maxUndecided) {
      link.close(new MatryoshkaError('relay.busy'));
      return;
    }
    this.#undecided++;
    const timer = this.after(request.budgetMs, () => link.close(new MatryoshkaError('relay.timeout')));
    const settle = (accepted: boolean): void => {
      this.#undecided--;
      timer.cancel();
      if (this.#accepted.has(link)) this.#decide(link, request, accepted);
    };
    verdict.then(settle, () => settle(false));
  }

  #freePort(session: Session): bigint {
    for (;;) {
      const port = randomU64(this.#host.random);
      if (!this.#ports.has(port) && !this.#of(session).taken(port, this.#host.clock.now())) return port;
    }
  }

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
    const end = this.#sessions.get(session)?.end(high, low);
    if (end === undefined) this.#unknown(session, port);
    return end;
  }

  /** A late message is let go; the other side hears once that the port leads nowhere (R14). */
  #unknown(session: Session, port: bigint): void {
    const links = this.#of(session);
    const now = this.#host.clock.now();
    if (links.resting(port, now)) return;
    links.rest(port, now, now + this.options.graceMs);
    session.send({ type: 'relay-close', port, reason: 'relay.unknown-port' });
  }
}

function copyDestination(destination: RelayDestination): RelayDestination {
  return {
    ...(destination.endpoint !== undefined && { endpoint: destination.endpoint }),
    ...(destination.peer !== undefined && { peer: destination.peer.slice() }),
    ...(destination.relay !== undefined && { relay: destination.relay.slice() }),
  };
}
