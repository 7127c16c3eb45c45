import { ReceiveWindow, type Session } from '@matryoshka/peer';
import type { Timer } from '@matryoshka/transport';
import { MatryoshkaError, type RelayCreate, type RelayStatus } from '@matryoshka/wire';
import type { CreditPool } from './credit-pool.ts';
import { Egress, type EgressHost } from './egress.ts';
import type { LinkEnd } from './link-end.ts';
import { UNLIMITED } from './relay-link.ts';

/** How long a closing link may take to pass on what it holds, in milliseconds. */
const DRAIN_TIMEOUT_MS = 5_000;

/** What a served link needs of its service. */
export interface ServedLinkHost {
  readonly pool: CreditPool;
  after(ms: number, run: () => void): Timer;
  /** The side on `session` is over; its port rests for the grace period. */
  forget(session: Session, port: bigint): void;
  /** The link is over altogether. */
  ended(link: ServedLink): void;
  /** Could not be asked, or its next hop holds the port already: may another candidate be tried? */
  retry(link: ServedLink, reason: MatryoshkaError): boolean;
}

type State = 'choosing' | 'requested' | 'open' | 'draining' | 'closed';

/**
 * A relay link that this node forwards for others: the side of the previous hop, the side of the next hop, and what
 * goes between them, unread.
 *
 * | state | on | next |
 * |---|---|---|
 * | `choosing` | next hop found | `requested`: relay-create goes on |
 * | `requested` | status accepted | `open`: accepted goes back |
 * | `requested` | status refused, next hop lost | refused goes back and `closed`, or `choosing` again where another candidate may be tried (R15) |
 * | `choosing`, `requested` | time is up | refused `relay.timeout` goes back, `closed` |
 * | `open` | relay-close from one side | `draining`: what it sent goes out first, then relay-close to the other |
 * | any | a session is lost, relaying is switched off | both sides get a reason, `closed` |
 */
export class ServedLink {
  readonly request: RelayCreate;
  readonly upstream: ServedSide;
  #downstream: ServedSide | undefined;
  readonly #host: ServedLinkHost;
  #state: State = 'choosing';
  #timer: Timer;

  constructor(host: ServedLinkHost, session: Session, request: RelayCreate, window: number) {
    this.#host = host;
    this.request = request;
    this.upstream = new ServedSide(this, session, request.port, window, request.window);
    this.#timer = host.after(request.budgetMs, () => this.refuse(new MatryoshkaError('relay.timeout')));
  }

  get state(): State {
    return this.#state;
  }

  /** The side of the next hop, once it is chosen. */
  get downstream(): ServedSide | undefined {
    return this.#downstream;
  }

  /** Asks `session` to carry the link on. */
  ask(session: Session, request: RelayCreate): ServedSide {
    this.#state = 'requested';
    this.#downstream = new ServedSide(this, session, request.port, request.window, 0);
    session.send(request);
    return this.#downstream;
  }

  /** The request has failed: the previous hop hears why. */
  refuse(reason: MatryoshkaError): void {
    if (this.#state !== 'choosing' && this.#state !== 'requested') return;
    const { session, port } = this.upstream;
    session.send({ type: 'relay-status', port, status: 'refused', reason: reason.code, retryAfterMs: reason.retryAfterMs ?? 0, limits: UNLIMITED });
    if (this.#state === 'requested') this.#downstream?.sayClose(reason);
    this.#end();
  }

  /** Ends it in any state, with a reason to both sides. */
  shut(reason: MatryoshkaError): void {
    if (this.#state === 'choosing' || this.#state === 'requested') this.refuse(reason);
    if (this.#state === 'closed') return;
    this.upstream.sayClose(reason);
    this.#downstream?.sayClose(reason);
    this.#end();
  }

  // ---- from its sides ----------------------------------------------------------------------------------------------

  other(side: ServedSide): ServedSide {
    return side === this.upstream ? (this.#downstream as ServedSide) : this.upstream;
  }

  answered(side: ServedSide, message: RelayStatus): void {
    if (this.#state !== 'requested' || side !== this.#downstream) throw new MatryoshkaError('relay.protocol', 'a status nobody waits for');
    if (message.status === 'refused') {
      this.#failed(new MatryoshkaError(message.reason, undefined, message.retryAfterMs > 0 ? { retryAfterMs: message.retryAfterMs } : {}), message.reason === 'relay.port-in-use');
      return;
    }
    this.#state = 'open';
    this.#timer.cancel();
    side.credited(message.window);
    const { session, port, window } = this.upstream;
    session.send({ type: 'relay-status', port, status: 'accepted', window: window.size, limits: UNLIMITED, answer: message.answer.slice() });
  }

  /** One side has closed: what it sent goes out to the other one, then that one hears of it. */
  closedBy(side: ServedSide, reason: MatryoshkaError): void {
    if (this.#state === 'closed') return;
    if (side === this.upstream && (this.#state === 'choosing' || this.#state === 'requested')) {
      this.#downstream?.sayClose(reason);
      this.#end();
      return;
    }
    if (this.#state === 'requested') {
      this.#failed(reason, false);
      return;
    }
    this.#state = 'draining';
    this.#timer.cancel();
    this.#timer = this.#host.after(DRAIN_TIMEOUT_MS, () => this.#end());
    side.egress.stop();
    const other = this.other(side);
    const finish = (): void => {
      other.sayClose(reason);
      this.#end();
    };
    if (other.egress.pendingBytes === 0) finish();
    else other.whenDrained = finish;
  }

  carrierLost(side: ServedSide): void {
    const reason = new MatryoshkaError('relay.carrier-lost');
    if (this.#state === 'requested' && side === this.#downstream) {
      this.#failed(reason, true);
      return;
    }
    if (this.#state === 'closed') return;
    if (this.#state === 'open' || this.#state === 'draining') this.other(side).sayClose(reason);
    else this.#downstream?.sayClose(reason);
    this.#end();
  }

  #failed(reason: MatryoshkaError, retry: boolean): void {
    const side = this.#downstream as ServedSide;
    this.#release(side);
    this.#downstream = undefined;
    this.#state = 'choosing';
    if (!retry || !this.#host.retry(this, reason)) this.refuse(reason);
  }

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer.cancel();
    this.#release(this.upstream);
    if (this.#downstream !== undefined) this.#release(this.#downstream);
    this.#host.ended(this);
  }

  #release(side: ServedSide): void {
    side.egress.stop();
    this.#host.pool.give(side.window.size);
    this.#host.forget(side.session, side.port);
  }
}

/** One side of a served link: what comes from its session goes to the other side. */
export class ServedSide implements LinkEnd, EgressHost {
  readonly session: Session;
  readonly port: bigint;
  /** What this session's other side may send us. */
  readonly window: ReceiveWindow;
  /** What we send it. */
  readonly egress: Egress;
  /** Called once when all that was queued has gone out. */
  whenDrained: (() => void) | undefined;
  readonly #link: ServedLink;

  constructor(link: ServedLink, session: Session, port: bigint, window: number, credit: number) {
    this.#link = link;
    this.session = session;
    this.port = port;
    this.window = new ReceiveWindow(window, window);
    this.egress = new Egress(session, port, credit, this);
  }

  data(bytes: Uint8Array, more: boolean): void {
    // The side it would go to has closed.
    if (this.#link.state === 'draining') return;
    if (this.#link.state !== 'open') throw new MatryoshkaError('relay.protocol', 'relay data before the link is open');
    if (bytes.length === 0) throw new MatryoshkaError('relay.protocol', 'empty relay data');
    this.window.receive(bytes.length);
    this.#link.other(this).egress.pass(bytes, more);
  }

  status(message: RelayStatus): void {
    this.#link.answered(this, message);
  }

  credited(total: number): void {
    this.egress.credited(total);
  }

  closedByPeer(reason: MatryoshkaError): void {
    this.#link.closedBy(this, reason);
  }

  carrierLost(): void {
    this.#link.carrierLost(this);
  }

  shut(reason: MatryoshkaError): void {
    this.#link.shut(reason);
  }

  sayClose(reason: MatryoshkaError): void {
    this.session.send({ type: 'relay-close', port: this.port, reason: reason.code });
  }

  /** Sealed into this side's session: that is when the other side's bytes count as consumed (design: hop by hop). */
  consumed(bytes: number): void {
    const other = this.#link.other(this);
    const total = other.window.consume(bytes);
    if (total !== undefined) other.session.send({ type: 'relay-credit', port: other.port, total });
  }

  unitSent(): void {}

  drained(): void {
    const run = this.whenDrained;
    this.whenDrained = undefined;
    run?.();
  }
}
