import type { Session } from '@matryoshka/peer';
import { type Random, randomBetween } from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, type RelayDestination } from '@matryoshka/wire';
import type { Claim } from './allowance.ts';
import type { CreditPool } from './credit-pool.ts';
import type { IdleCredit } from './idle-credit.ts';
import type { LinkRegistry } from './link-registry.ts';
import { type PortNaming, requestMark } from './port-naming.ts';
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
  readonly gateway: Session;
  readonly destination: RelayDestination;
  /** The destination as the user named it; the remote endpoint of the link. */
  readonly remote: Endpoint;
  /** 1 to 15 (R2). */
  readonly hops: number;
  /** The session that is to go on over the link: it must not be carried by itself (docs/protocol.md §8.1). */
  readonly carried?: string;
}

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
}

/** Opens this node's own relay links. */
export class Originator {
  readonly #host: OriginatorHost;

  constructor(host: OriginatorHost) {
    this.#host = host;
  }

  /** See `RelayService.open`. */
  async open(request: OpenRelayLink, first: Uint8Array, signal: AbortSignal | undefined): Promise<Link> {
    const { carried, gateway, hops } = request;
    if (!Number.isInteger(hops) || hops < 1 || hops > MAX_HOPS) {
      throw new MatryoshkaError('relay.hops-invalid', `hops must be a whole number from 1 to ${MAX_HOPS}, not ${hops}`);
    }
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
    return new Promise((resolve, reject) => this.#request(request, first, { window, claim }, signal, { resolve, reject }));
  }

  #request(
    { gateway, hops, destination, remote }: OpenRelayLink,
    first: Uint8Array,
    { window, claim }: { readonly window: RelayWindow; readonly claim: Claim },
    signal: AbortSignal | undefined,
    settle: { readonly resolve: (link: Link) => void; readonly reject: (error: MatryoshkaError) => void },
  ): void {
    const { clock, idleCredit, links, ports, random } = this.#host;
    const port = ports.fresh(gateway);
    const mark = requestMark(first);
    // Drawn at random so that they do not name the originator (R15).
    const attemptsLeft = randomBetween(random, 4, MAX_ATTEMPTS);
    const budgetMs = randomBetween(random, 10_000, MAX_BUDGET_MS);
    const abort = (): void => link.close(aborted(signal));
    const timer = clock.after(budgetMs + ANSWER_MARGIN_MS, () => link.close(new MatryoshkaError('relay.timeout')));
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
        claim.ended();
        this.#host.forget(gateway, port);
      },
      answered: (error) => {
        timer.cancel();
        claim.answered();
        signal?.removeEventListener('abort', abort);
        if (error === undefined) settle.resolve(link);
        else settle.reject(error);
      },
    });
    links.hold(port, mark);
    links.add(gateway, port, link);
    signal?.addEventListener('abort', abort, { once: true });
    gateway.send({
      type: 'relay-create',
      port,
      hopsLeft: hops - 1,
      attemptsLeft,
      budgetMs,
      window: window.size,
      destination,
      request: first,
    });
  }
}

function aborted(signal: AbortSignal | undefined): MatryoshkaError {
  return new MatryoshkaError('aborted', undefined, { cause: signal?.reason });
}
