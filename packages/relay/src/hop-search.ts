import type { Session } from '@matryoshka/peer';
import type { Clock } from '@matryoshka/transport';
import { MatryoshkaError, type ReasonCode, asMatryoshkaError } from '@matryoshka/wire';
import type { AboveAllowance, Claim } from './allowance.ts';
import type { CreditPool } from './credit-pool.ts';
import { greetings } from './greetings.ts';
import type { LastHop } from './last-hop.ts';
import type { LinkRegistry } from './link-registry.ts';
import type { NextHops } from './next-hops.ts';
import type { PortNaming } from './port-naming.ts';
import { type Failure, RequestBudget } from './request-budget.ts';
import type { ServedLink } from './served-link.ts';

/** What a search needs of its service. */
export interface HopSearchHost {
  readonly clock: Clock;
  readonly pool: CreditPool;
  readonly links: LinkRegistry;
  readonly ports: PortNaming;
  readonly nextHops: NextHops;
  readonly lastHop: LastHop;
  /** Open sessions. */
  sessions(): Iterable<Session>;
  /** Takes one request to `session` within what its other side allows. */
  request(session: Session): Claim | AboveAllowance;
}

/** Finds the next hop of one link that is forwarded and asks it, and others where that comes to nothing (R3, R9, R15). */
export class HopSearch {
  readonly #host: HopSearchHost;
  readonly #link: ServedLink;
  readonly #budget: RequestBudget;
  /** The sessions that were asked to carry it on, until one does: most links are open for long. */
  #tried: readonly Session[] = [];
  /** What it counts as in this node's own allowance at the next hop. */
  #onward: Claim | undefined;

  constructor(host: HopSearchHost, link: ServedLink) {
    const { attemptsLeft, budgetMs, hopsLeft } = link.request;
    this.#host = host;
    this.#link = link;
    this.#budget = new RequestBudget(hopsLeft, attemptsLeft, budgetMs, host.clock.now());
  }

  /** Asks one; the link hears of it, or is refused. */
  async advance(): Promise<void> {
    const link = this.#link;
    try {
      const session = await this.#nextHop();
      if (link.state === 'choosing') this.#ask(session);
    } catch (error) {
      const reason = asMatryoshkaError(error, 'bug');
      // Whoever hears of a port that is in use takes it that nobody was asked.
      link.refuse(reason.code === 'relay.port-in-use' && this.#tried.length > 0 ? new MatryoshkaError('relay.no-peers-available') : reason);
    }
  }

  /** The one that was asked has failed. Returns whether another one is asked. */
  again(failure: Failure): boolean {
    this.#onward?.ended();
    this.#onward = undefined;
    this.#budget.failed(failure);
    // Only a hop that was chosen has others that could take its place.
    if (this.#link.request.hopsLeft < 2 || !this.#budget.enough) return false;
    void this.advance();
    return true;
  }

  /** The link is open. */
  answered(): void {
    this.#onward?.answered();
    this.#tried = [];
  }

  /** The link is over. */
  ended(): void {
    this.#onward?.ended();
  }

  #ask(session: Session): void {
    const { clock, links, pool, ports } = this.#host;
    const { account, request } = this.#link;
    if (!session.sending || session.stalled) throw new MatryoshkaError('relay.carrier-lost');
    if (!ports.free(session, request.port)) throw new MatryoshkaError('relay.port-in-use');
    if (isBusy(session)) throw new MatryoshkaError('relay.busy');
    this.#onward = this.#claim(session);
    const window = pool.take(account);
    if (window === undefined) throw new MatryoshkaError('relay.busy');
    const grant = this.#budget.ask(clock.now());
    this.#tried = [...this.#tried, session];
    const port = ports.onward(session, request.port);
    links.add(session, port, this.#link.ask(session, port, window, grant));
  }

  #nextHop(): Promise<Session> {
    const { lastHop } = this.#host;
    const { request, upstream } = this.#link;
    const { destination, hopsLeft } = request;
    if (hopsLeft === 1) return lastHop.reach(upstream.session, destination);
    // The peer is at a relay, and one hop is left before it: that relay is the last hop (R3).
    const { relay, endpoint } = destination;
    if (hopsLeft === 2 && relay !== undefined) return lastHop.reach(upstream.session, { peer: relay, ...(endpoint && { endpoint }) });
    return this.#chosen();
  }

  async #chosen(): Promise<Session> {
    const { clock, nextHops } = this.#host;
    const { request, upstream } = this.#link;
    const { destination, hopsLeft, port } = request;
    const next = (): Session => nextHops.next({ previous: upstream.session, destination, port, hopsLeft, tried: new Set(this.#tried) });
    try {
      return next();
    } catch (error) {
      if (!(await greetings(this.#host.sessions(), clock))) throw error;
      return next();
    }
  }

  /** Keeps within what the other side of `session` allows. @throws MatryoshkaError `relay.busy`, with the time until there is room */
  #claim(session: Session): Claim {
    const claim = this.#host.request(session);
    if (!('reason' in claim)) return claim;
    throw laterThan('relay.busy', claim.retryAfterMs, 'the next relay allows no more requests for now');
  }
}

/**
 * A session with more control messages waiting than this, in bytes, is asked for nothing more: one neighbour's requests
 * must not end it with everybody's links (docs/protocol.md §11).
 */
const BUSY_CONTROL_BYTES: number = 256 * 1024;

/** Whether so much waits for a session that it is asked for nothing more. */
export function isBusy({ outbox }: Session): boolean {
  return outbox.controlBytes > BUSY_CONTROL_BYTES;
}

/** Nobody is told to wait longer, in milliseconds: settings may change. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** A refusal that may pass. */
export function laterThan(reason: ReasonCode, retryAfterMs: number, message?: string): MatryoshkaError {
  return new MatryoshkaError(reason, message, { retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) });
}
