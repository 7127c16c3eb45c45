import type { Session } from '@matryoshka/peer';
import { type Random, randomBetween } from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, type RelayDestination, type RelayMeet } from '@matryoshka/wire';
import type { Claim } from './allowance.ts';
import type { CreditPool } from './credit-pool.ts';
import type { IdleCredit } from './idle-credit.ts';
import type { LinkRegistry } from './link-registry.ts';
import { type PortNaming, requestMark } from './port-naming.ts';
import { refusalOf } from './link-end.ts';
import { MEETING_MS } from './meetings.ts';
import { MAX_NESTING, RelayLink } from './relay-link.ts';
import type { RelayWindow } from './relay-window.ts';

/** Hops of a relayed connection are 1 to this many (R2). */
export const MAX_HOPS = 15;
/** Most attempts, and the longest time in milliseconds, that a request can ask for (R15). */
export const MAX_ATTEMPTS = 8;
export const MAX_BUDGET_MS = 30_000;
/** How much longer than its request may take an originator waits for the answer, in milliseconds. */
const ANSWER_MARGIN_MS = 2_000;

/** What an originator asks for. */
export interface OpenRelayLink {
  /** The session to the first relay. */
  readonly gateway: Session;
  /** As relays are told. */
  readonly destination: RelayDestination;
  /** The destination as the user named it; the remote endpoint of the link. */
  readonly remote: Endpoint;
  /** 1 to 15 (R2). */
  readonly hops: number;
  /** The session that is to go on over the link: it must not be carried by itself (docs/protocol.md §8.1). */
  readonly carried?: string;
}

/** What it asks for who wants to meet somebody. */
export interface MeetAtRelay {
  /** A session to the relay where both meet. */
  readonly gateway: Session;
  /** 32 bytes. */
  readonly token: Uint8Array;
  /** What the link shows as its remote end. */
  readonly remote: Endpoint;
}

/** Whom one has met: whoever came second begins the handshake. */
export type Met =
  /** The other side has answered, which is the link's first message. */
  | { readonly role: 'initiator'; readonly link: Link }
  /** The other side's first message; the link is to be offered with it. */
  | { readonly role: 'responder'; readonly link: Link; readonly request: Uint8Array };

/** What an originator needs of its service. */
export interface OriginatorHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: CreditPool;
  readonly idleCredit: IdleCredit;
  readonly links: LinkRegistry;
  readonly ports: PortNaming;
  /** Keeps within what `session` allows. @throws MatryoshkaError `relay.rate-limited` */
  claim(session: Session): Claim;
  /** The link on `session` is over; its port rests for the grace period. */
  forget(session: Session, port: bigint): void;
  /** The end of a link that somebody has asked for who was awaited. */
  expected(session: Session, request: Awaited, window: RelayWindow, claim: Claim): Link;
}

/** What is known of whoever was awaited. */
export type Awaited = Pick<RelayMeet, 'port' | 'window' | 'request'>;

/** Opens this node's own relay links. */
export class Originator {
  readonly #host: OriginatorHost;
  /** Those who wait for somebody, by session and port. */
  readonly #seeking = new Map<Session, Map<bigint, (message: RelayMeet) => void>>();

  constructor(host: OriginatorHost) {
    this.#host = host;
  }

  /** See `RelayService.open`. */
  async open(request: OpenRelayLink, first: Uint8Array, signal: AbortSignal | undefined): Promise<Link> {
    const { hops } = request;
    if (!Number.isInteger(hops) || hops < 1 || hops > MAX_HOPS) {
      throw new MatryoshkaError('relay.hops-invalid', `hops must be a whole number from 1 to ${MAX_HOPS}, not ${hops}`);
    }
    const held = this.#begin(request, signal);
    return new Promise((resolve, reject) => this.#request(request, first, held, signal, { resolve, reject }));
  }

  /** See `RelayService.meet`. */
  async meet(request: MeetAtRelay, first: Uint8Array, signal: AbortSignal | undefined): Promise<Met> {
    const held = this.#begin(request, signal);
    return new Promise((resolve, reject) => this.#seek(request, first, held, signal, { resolve, reject }));
  }

  /** A relay has found whom a meeting of this node was for. Returns whether there is one. */
  met(session: Session, message: RelayMeet): boolean {
    const seeking = this.#seeking.get(session)?.get(message.port);
    seeking?.(message);
    return seeking !== undefined;
  }

  /** What every request needs. @throws MatryoshkaError what speaks against it */
  #begin({ carried, gateway }: Pick<OpenRelayLink, 'carried' | 'gateway'>, signal: AbortSignal | undefined): Held {
    if (gateway.link.info.nesting >= MAX_NESTING) {
      throw new MatryoshkaError('relay.nesting-exceeded', `connections are nested ${MAX_NESTING} deep at most`);
    }
    if (signal?.aborted === true) throw aborted(signal);
    if (carried !== undefined && (gateway.id === carried || gateway.link.info.carriers.includes(carried)))
      throw new MatryoshkaError('relay.no-peers-available', 'the connection would carry itself');
    if (!gateway.sending || gateway.stalled)
      throw new MatryoshkaError('relay.carrier-lost', 'the connection to the gateway is closed or interrupted');
    const claim = this.#host.claim(gateway);
    const window = this.#host.pool.take();
    if (window === undefined) {
      claim.ended();
      throw new MatryoshkaError('relay.busy', 'the relay memory of this node is used up');
    }
    return { window, claim };
  }

  /**
   * Presents a token. Whoever was first hears of the other one by a `relay-meet` on the same port, and is the responder on a
   * new link that takes the place of the one that was asked for.
   */
  #seek(
    { gateway, remote, token }: MeetAtRelay,
    first: Uint8Array,
    { window, claim }: Held,
    signal: AbortSignal | undefined,
    settle: { readonly resolve: (met: Met) => void; readonly reject: (error: MatryoshkaError) => void },
  ): void {
    const seeking = this.#seeking.get(gateway) ?? new Map<bigint, (message: RelayMeet) => void>();
    let came: RelayMeet | undefined;
    const link = this.#ask({
      gateway,
      remote,
      first,
      window,
      signal,
      patienceMs: MEETING_MS,
      late: 'relay.nobody-met',
      forget: () => {
        seeking.delete(port);
        if (seeking.size === 0) this.#seeking.delete(gateway);
        if (came === undefined) claim.ended();
      },
      answered: (error) => {
        claim.answered();
        if (error === undefined) settle.resolve({ role: 'initiator', link });
        else if (came === undefined) settle.reject(error);
      },
    });
    const { port } = link;
    this.#seeking.set(
      gateway,
      seeking.set(port, (message) => {
        came = message;
        // Without a word: its port goes on.
        link.closedByPeer(new MatryoshkaError('closed'));
        const again = this.#host.pool.take();
        if (again === undefined) {
          claim.ended();
          gateway.send(refusalOf(port, new MatryoshkaError('relay.busy')));
          settle.reject(new MatryoshkaError('relay.busy', 'the relay memory of this node is used up'));
          return;
        }
        const request = message.request.slice();
        settle.resolve({ role: 'responder', request, link: this.#host.expected(gateway, { ...message, request }, again, claim) });
      }),
    );
    gateway.send({ type: 'relay-meet', port, window: window.size, token, request: first });
  }

  #request(
    { gateway, hops, destination, remote }: OpenRelayLink,
    first: Uint8Array,
    { window, claim }: Held,
    signal: AbortSignal | undefined,
    settle: { readonly resolve: (link: Link) => void; readonly reject: (error: MatryoshkaError) => void },
  ): void {
    const { random } = this.#host;
    // Drawn at random so that they do not name the originator (R15).
    const attemptsLeft = randomBetween(random, 4, MAX_ATTEMPTS);
    const budgetMs = randomBetween(random, 10_000, MAX_BUDGET_MS);
    const link = this.#ask({
      gateway,
      remote,
      first,
      window,
      signal,
      patienceMs: budgetMs,
      late: 'relay.timeout',
      forget: () => claim.ended(),
      answered: (error) => {
        claim.answered();
        if (error === undefined) settle.resolve(link);
        else settle.reject(error);
      },
    });
    gateway.send({
      type: 'relay-create',
      port: link.port,
      hopsLeft: hops - 1,
      attemptsLeft,
      budgetMs,
      window: window.size,
      destination,
      request: first,
    });
  }

  /** A link on a fresh port, which a request is about to be sent for; it is given up when the answer is late. */
  #ask({ gateway, remote, first, window, signal, patienceMs, late, forget, answered }: Asking): RelayLink {
    const { clock, idleCredit, links, ports } = this.#host;
    const port = ports.fresh(gateway);
    const mark = requestMark(first);
    const abort = (): void => link.close(aborted(signal));
    const timer = clock.after(patienceMs + ANSWER_MARGIN_MS, () => link.close(new MatryoshkaError(late)));
    const link: RelayLink = new RelayLink({
      clock,
      idleCredit,
      session: gateway,
      port,
      role: 'originator',
      remote,
      window,
      credit: 0,
      forget: () => {
        links.release(port, mark);
        this.#host.forget(gateway, port);
        forget();
      },
      answered: (error) => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        answered(error);
      },
    });
    links.hold(port, mark);
    links.add(gateway, port, link);
    signal?.addEventListener('abort', abort, { once: true });
    return link;
  }
}

/** A request of this node, for whatever it is. */
interface Asking {
  readonly gateway: Session;
  readonly remote: Endpoint;
  /** First message of the handshake. */
  readonly first: Uint8Array;
  readonly window: RelayWindow;
  readonly signal: AbortSignal | undefined;
  /** How long the answer may take but for its way back, in milliseconds, and what it is called when it does not come. */
  readonly patienceMs: number;
  readonly late: 'relay.nobody-met' | 'relay.timeout';
  /** The link is over. */
  readonly forget: () => void;
  /** The answer is here, or what came instead of it. */
  readonly answered: (error: MatryoshkaError | undefined) => void;
}

/** What a request of this node holds. */
interface Held {
  readonly window: RelayWindow;
  readonly claim: Claim;
}

function aborted(signal: AbortSignal | undefined): MatryoshkaError {
  return new MatryoshkaError('aborted', undefined, { cause: signal?.reason });
}
