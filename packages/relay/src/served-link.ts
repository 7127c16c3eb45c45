import type { Session } from '@matryoshka/peer';
import type { Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError, type ReasonCode, type RelayCreate } from '@matryoshka/wire';
import type { Account } from './account.ts';
import type { Task } from './agenda.ts';
import { DrainTimer } from './drain-timer.ts';
import type { IdleCredit } from './idle-credit.ts';
import { type RelayAnswer, refusalOf } from './link-end.ts';
import { LinkMeter } from './link-meter.ts';
import { requestMark } from './port-naming.ts';
import { type RelayLimiter, strictest } from './relay-limits.ts';
import type { RelayWindow } from './relay-window.ts';
import { reported, reportedEnd, reportedRefusal } from './reported.ts';
import type { Failure, Grant } from './request-budget.ts';
import { ServedSide, type ServedSideHost } from './served-side.ts';

/** What a served link needs of its service. */
export interface ServedLinkHost {
  readonly clock: Clock;
  readonly idleCredit: IdleCredit;
  readonly limiter: RelayLimiter;
  /** The side on `session` is over; its port rests for the grace period. */
  forget(session: Session, port: bigint): void;
  /** The destination has accepted. */
  opened(link: ServedLink): void;
  /** The link is over altogether. */
  ended(link: ServedLink): void;
  /** The next hop is lost, does not answer, or holds the port already: asks another candidate if there may be one (R15). */
  retry(link: ServedLink, failure: Failure): boolean;
}

/** A next hop whose session is interrupted is waited for so long, in milliseconds, before another one is asked. */
const STALL_PATIENCE_MS = 1_000;

/** What stays of a request once it is answered. */
export type ServedRequest = Omit<RelayCreate, 'type' | 'window' | 'request'>;

type State = 'choosing' | 'requested' | 'open' | 'draining' | 'closed';

/**
 * A relay link that this node forwards for others: the side of the previous hop, the side of the next hop, and what
 * goes between them, unread.
 *
 * | state | on | next |
 * |---|---|---|
 * | `choosing` | next hop found | `requested`: relay-create goes on |
 * | `requested` | status accepted | `open`: accepted goes back |
 * | `requested` | status refused; next hop lost, silent for too long, or its session suspended for 1 s | refused goes back and `closed`, or `choosing` again where another candidate may be tried (R15) |
 * | `choosing`, `requested` | time is up | refused `relay.timeout` goes back, `closed` |
 * | `choosing`, `requested` | relay-close from the previous hop, or its loss | relay-close goes on, `closed` |
 * | `open` | relay-close from one side, or its loss | `draining`: what it sent goes out first, as long as it gets on, then relay-close to the other and `closed` |
 * | `draining` | the same from the other side | `closed` |
 * | `open` | more bytes than may be passed on | `relay.limit` to both sides, as after relay-close from the one that sent them (R16) |
 * | any | older than it may get; relaying is switched off | both sides get a reason, `closed` |
 */
export class ServedLink implements ServedSideHost, Task {
  /** What was asked for. */
  readonly request: ServedRequest;
  /** What tells the request when it comes again. */
  readonly mark: bigint;
  /** Who asked, and so pays for the windows of both sides. */
  readonly account: Account;
  /** What it uses of its limits. */
  readonly meter: LinkMeter;
  /** The side of the previous hop. */
  readonly upstream: ServedSide;
  readonly #host: ServedLinkHost;
  #downstream: ServedSide | undefined;
  /** The token that its two ends have presented, where they meet here (docs/protocol.md §8.7). */
  readonly #token: Uint8Array | undefined;
  /** The first handshake message, until it is answered. */
  #first: Uint8Array | undefined;
  #state: State = 'choosing';
  #timer: Timer | undefined;
  /** Until another candidate is asked instead. */
  #patience: Timer | undefined;
  #stallTimer: Timer | undefined;
  /** The side that closed first. */
  #gone: ServedSide | undefined;

  /**
   * @param request - everything in it is the link's own to keep
   * @param window - credit for the previous hop
   * @param account - what `window` was taken on
   * @param token - of a meeting
   */
  constructor(host: ServedLinkHost, session: Session, request: RelayCreate, window: RelayWindow, account: Account, token?: Uint8Array) {
    const { type: _type, window: credit, request: first, ...rest } = request;
    this.#host = host;
    this.request = rest;
    this.mark = requestMark(first);
    this.account = account;
    this.#first = first;
    this.meter = new LinkMeter(host.limiter, account);
    this.#token = token;
    this.upstream = new ServedSide(this, session, request.port, window, credit, account);
    this.#timer = host.clock.after(request.budgetMs, () => this.refuse(new MatryoshkaError('relay.timeout')));
  }

  /** Where in its life it is, as in the table above. */
  get state(): State {
    return this.#state;
  }

  /** Time. */
  get clock(): Clock {
    return this.#host.clock;
  }

  /** Who has credit without using it. */
  get idleCredit(): IdleCredit {
    return this.#host.idleCredit;
  }

  /** The side of the next hop, once it is chosen. */
  get downstream(): ServedSide | undefined {
    return this.#downstream;
  }

  /**
   * Asks `session` to carry the link on, with what is left of the request's time and attempts (R15).
   * @param port - the link's on that session
   * @param grant - what it may use of the request's time and attempts
   */
  ask(session: Session, port: bigint, window: RelayWindow, { attemptsLeft, budgetMs, patienceMs }: Grant): ServedSide {
    const { hopsLeft, destination } = this.request;
    this.#state = 'requested';
    if (patienceMs !== undefined) this.#patience = this.#host.clock.after(patienceMs, () => this.#givenUp('relay.timeout'));
    this.#downstream = new ServedSide(this, session, port, window, 0, this.account);
    if (this.#token !== undefined) {
      session.send({ type: 'relay-meet', port, window: window.size, token: this.#token, request: this.#first as Uint8Array });
      return this.#downstream;
    }
    session.send({
      type: 'relay-create',
      port,
      hopsLeft: hopsLeft - 1,
      attemptsLeft,
      budgetMs,
      window: window.size,
      destination,
      request: this.#first as Uint8Array,
    });
    return this.#downstream;
  }

  /** The request has failed: the previous hop hears why, as far as that is its business. */
  refuse(why: MatryoshkaError): void {
    if (this.#state !== 'choosing' && this.#state !== 'requested') return;
    const reason = reported(why, reportedRefusal);
    const { session, port } = this.upstream;
    const { told } = this.#host.limiter;
    const limits = reason.limits === undefined ? told : strictest(reason.limits, told);
    session.send({ ...refusalOf(port, reason), limits });
    this.#downstream?.sayClose(reason);
    this.#end();
  }

  // ---- ServedSideHost ----------------------------------------------------------------------------------------------

  get passing(): 'early' | 'open' | 'ending' {
    if (this.#state === 'open') return 'open';
    return this.#state === 'choosing' || this.#state === 'requested' ? 'early' : 'ending';
  }

  other(side: ServedSide): ServedSide {
    return side === this.upstream ? (this.#downstream as ServedSide) : this.upstream;
  }

  /** The next hop has answered on `side`. */
  answered(side: ServedSide, message: RelayAnswer): void {
    if (this.#state !== 'requested' || side !== this.#downstream) throw new MatryoshkaError('relay.protocol', 'a status nobody waits for');
    if (message.status === 'refused') {
      // The allowance that is used up is this node's, not that of whoever is behind it.
      const code = message.reason === 'relay.rate-limited' ? 'relay.busy' : message.reason;
      const reason = new MatryoshkaError(code, undefined, {
        limits: message.limits,
        ...(message.retryAfterMs > 0 && { retryAfterMs: message.retryAfterMs }),
      });
      this.#failed(reason, reason.code === 'relay.port-in-use' ? 'at-once' : undefined);
      return;
    }
    this.#forgetPatience();
    this.#state = 'open';
    this.#first = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    side.credited(message.window);
    const { session, port, window } = this.upstream;
    session.send({
      type: 'relay-status',
      port,
      status: 'accepted',
      window: window.size,
      limits: strictest(message.limits, this.#host.limiter.told),
      answer: message.answer.slice(),
    });
    this.upstream.egress.open();
    this.limitAge();
    // What came before the link was open has not been told.
    if (this.upstream.stalled) side.sayStall(true);
    if (side.stalled) this.upstream.sayStall(true);
    this.#host.opened(this);
  }

  /** Relay-close came on `side`. */
  closedBy(side: ServedSide, reason: MatryoshkaError): void {
    this.#sideEnded(side, reported(reason, reportedEnd), undefined);
  }

  /** The session of `side` is gone. */
  carrierLost(side: ServedSide): void {
    this.#sideEnded(side, new MatryoshkaError('relay.carrier-lost'), 'unknown');
  }

  stalled(side: ServedSide, stalled: boolean): void {
    if (this.#state !== 'requested' || side !== this.#downstream) return;
    this.#stallTimer?.cancel();
    if (stalled) this.#stallTimer = this.#host.clock.after(STALL_PATIENCE_MS, () => this.#givenUp('relay.carrier-lost'));
  }

  /** Its age is limited from now on, or otherwise than before (R16). */
  limitAge(): void {
    if (this.#state === 'open') this.meter.opened(this);
  }

  /** It is older than it may get. */
  due(): void {
    this.shut(new MatryoshkaError('relay.limit'));
  }

  limitReached(side: ServedSide): void {
    const reason = new MatryoshkaError('relay.limit');
    side.sayClose(reason);
    if (this.#state === 'open') this.#drain(side, reason);
  }

  /** Ends it in any state, with a reason to both sides. */
  shut(reason: MatryoshkaError): void {
    this.refuse(reason);
    if (this.#state === 'closed') return;
    this.upstream.sayClose(reason);
    this.#downstream?.sayClose(reason);
    this.#end();
  }

  // ------------------------------------------------------------------------------------------------------------------

  #sideEnded(side: ServedSide, reason: MatryoshkaError, failure: Failure | undefined): void {
    switch (this.#state) {
      case 'choosing':
      case 'requested':
        if (side === this.#downstream) {
          this.#failed(reason, failure);
        } else {
          this.#downstream?.sayClose(reason);
          this.#end();
        }
        break;
      case 'open':
        this.#drain(side, reason);
        break;
      case 'draining':
        // The one that closed first has nothing to say any more; its session may go while the rest goes out.
        if (side !== this.#gone) this.#end();
        break;
      case 'closed':
        break;
      default:
        this.#state satisfies never;
    }
  }

  /** What `side` sent goes out to the other one, then that one hears of the end. */
  #drain(side: ServedSide, reason: MatryoshkaError): void {
    const other = this.other(side);
    const finish = (): void => {
      if (this.#state !== 'draining') return;
      other.sayClose(reason);
      this.#end();
    };
    this.#state = 'draining';
    this.#gone = side;
    side.egress.stop();
    this.#timer = new DrainTimer(this.#host.clock, other.egress, finish);
    other.whenDrained(finish);
  }

  /** The next hop does not answer. */
  #givenUp(code: ReasonCode): void {
    const reason = new MatryoshkaError(code);
    this.#downstream?.sayClose(reason);
    this.#failed(reason, 'unknown');
  }

  /** The next hop did not take it. `failure`: another one may (R15). */
  #failed(reason: MatryoshkaError, failure: Failure | undefined): void {
    this.#forgetPatience();
    const side = this.#downstream as ServedSide;
    this.#downstream = undefined;
    this.#state = 'choosing';
    this.#release(side);
    if (failure !== undefined && this.#host.retry(this, failure)) return;
    // Whoever hears of a port that is in use takes it that nobody was asked.
    const inUse = this.request.hopsLeft < 2 ? 'relay.destination-unreachable' : 'relay.no-peers-available';
    this.refuse(reason.code === 'relay.port-in-use' ? new MatryoshkaError(inUse) : reason);
  }

  #forgetPatience(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#stallTimer?.cancel();
    this.#stallTimer = undefined;
  }

  #end(): void {
    this.#state = 'closed';
    this.#first = undefined;
    this.#timer?.cancel();
    this.meter.close();
    this.#forgetPatience();
    this.#release(this.upstream);
    if (this.#downstream !== undefined) this.#release(this.#downstream);
    this.#host.ended(this);
  }

  #release(side: ServedSide): void {
    side.egress.stop();
    side.window.release();
    this.#host.forget(side.session, side.port);
  }
}
