import type { Session } from '@matryoshka/peer';
import type { Accept, Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError, type RelayCreate } from '@matryoshka/wire';
import type { Claim } from './allowance.ts';
import type { IdleCredit } from './idle-credit.ts';
import type { LinkRegistry } from './link-registry.ts';
import { peerIdOf } from './neighbours.ts';
import type { RelayOptions } from './options.ts';
import { requestMark } from './port-naming.ts';
import { RelayLink } from './relay-link.ts';
import type { RelayWindow } from './relay-window.ts';

/** What arrivals need of their service. */
export interface ArrivalsHost {
  readonly clock: Clock;
  readonly idleCredit: IdleCredit;
  readonly links: LinkRegistry;
  /** The handshake begins: from here on it is an accepted link like any other (R11). */
  accept: Accept;
  /** The link on `session` is over; its port rests for the grace period. */
  forget(session: Session, port: bigint): void;
}

/** Relay links that end here: this node is the destination, and its user's hook decides (R10). */
export class Arrivals {
  readonly #host: ArrivalsHost;
  readonly #options: RelayOptions;
  readonly #links = new Set<RelayLink>();
  /** Those whose hook takes its time, and the ends of their budgets. */
  readonly #undecided = new Map<RelayLink, Timer>();

  constructor(host: ArrivalsHost, options: RelayOptions) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Takes a request.
   * @param request - everything in it is the link's own to keep
   * @param window - credit for its sender
   * @param claim - what it counts as in its sender's allowance
   */
  arrive(session: Session, request: RelayCreate, window: RelayWindow, claim: Claim): void {
    const link = this.expected(session, request, window, claim);
    this.#ask(link, session, request, claim);
  }

  /** The end of a link that this node itself waited for: nobody else decides over it. */
  expected(session: Session, request: Pick<RelayCreate, 'port' | 'window' | 'request'>, window: RelayWindow, claim: Claim): RelayLink {
    const { clock, idleCredit, links } = this.#host;
    const { port } = request;
    const mark = requestMark(request.request);
    links.hold(port, mark);
    const link: RelayLink = new RelayLink({
      clock,
      idleCredit,
      session,
      port,
      role: 'destination',
      remote: session.link.remote,
      window,
      credit: request.window,
      forget: () => {
        this.#links.delete(link);
        claim.ended();
        this.#decided(link);
        links.release(port, mark);
        this.#host.forget(session, port);
      },
    });
    this.#links.add(link);
    links.add(session, port, link);
    return link;
  }

  /** Ends all of them, decided or not. */
  shut(reason: MatryoshkaError): void {
    for (const link of [...this.#links]) link.shut(reason);
  }

  #ask(link: RelayLink, session: Session, request: RelayCreate, claim: Claim): void {
    const { accept, maxUndecided } = this.#options;
    if (accept === undefined) {
      this.#decide(link, request, true, claim);
      return;
    }
    if (this.#undecided.size >= maxUndecided) {
      link.close(new MatryoshkaError('relay.busy'));
      return;
    }
    let verdict: boolean | Promise<boolean>;
    try {
      verdict = accept({ previousHop: peerIdOf(session), endpoint: session.link.remote, relayPort: request.port });
    } catch {
      verdict = false;
    }
    if (typeof verdict === 'boolean') this.#decide(link, request, verdict, claim);
    else this.#await(link, request, Promise.resolve(verdict), claim);
  }

  /** The hook takes its time: the request waits no longer than its budget. */
  #await(link: RelayLink, request: RelayCreate, verdict: Promise<boolean>, claim: Claim): void {
    const timer = this.#host.clock.after(request.budgetMs, () => link.close(new MatryoshkaError('relay.timeout')));
    this.#undecided.set(link, timer);
    const settle = (accepted: boolean): void => {
      // Else closed meanwhile: by the other side, by the timer, with its session, or because relaying was switched off.
      if (this.#decided(link)) this.#decide(link, request, accepted, claim);
    };
    verdict.then(settle, () => settle(false));
  }

  /** Nobody waits for the hook any more. Returns whether anybody did. */
  #decided(link: RelayLink): boolean {
    this.#undecided.get(link)?.cancel();
    return this.#undecided.delete(link);
  }

  /** Only a plain yes is one: a hook that forgets to answer accepts nothing. */
  #decide(link: RelayLink, request: RelayCreate, accepted: unknown, claim: Claim): void {
    claim.answered();
    if (accepted === true) this.#host.accept(link, request.request);
    else link.close(new MatryoshkaError('relay.refused'));
  }
}
