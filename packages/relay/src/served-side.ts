import type { Session } from '@matryoshka/peer';
import type { Clock } from '@matryoshka/transport';
import { MatryoshkaError, type RelayStatus } from '@matryoshka/wire';
import type { Account } from './account.ts';
import { Egress, type EgressHost } from './egress.ts';
import type { IdleCredit } from './idle-credit.ts';
import type { LinkMeter } from './link-meter.ts';
import type { LinkEnd, RelayAnswer } from './link-end.ts';
import { type RelayWindow, maxPendingUnits } from './relay-window.ts';
import { Stall, type StallHost } from './stall.ts';

/** What one side of a served link needs of it. */
export interface ServedSideHost {
  readonly meter: LinkMeter;
  readonly clock: Clock;
  readonly idleCredit: IdleCredit;
  /** Whether data is passed on now, refused as too early, or let go because the link is ending. */
  readonly passing: 'early' | 'open' | 'ending';
  /** The side that `side`'s bytes go to. */
  other(side: ServedSide): ServedSide;
  answered(side: ServedSide, message: RelayAnswer): void;
  closedBy(side: ServedSide, reason: MatryoshkaError): void;
  carrierLost(side: ServedSide): void;
  /** What came from `side` is more than may be passed on (R16). */
  limitReached(side: ServedSide): void;
  /** Nothing gets through on this side for now, or it does again. */
  stalled(side: ServedSide, stalled: boolean): void;
  shut(reason: MatryoshkaError): void;
}

/** One side of a served link: what comes from its session goes to the other side. */
export class ServedSide implements LinkEnd, EgressHost, StallHost {
  /** What carries this side. */
  readonly session: Session;
  /** The link's number on it. */
  readonly port: bigint;
  /** Whether nothing gets through on this side for now. */
  get stalled(): boolean {
    return this.#stall.stalled;
  }

  /** What this session's other side may send us. */
  readonly window: RelayWindow;
  /** What we send it. */
  readonly egress: Egress;
  readonly #link: ServedSideHost;
  readonly #stall = new Stall(this);
  #whenDrained: (() => void) | undefined;

  constructor(link: ServedSideHost, session: Session, port: bigint, window: RelayWindow, credit: number, account: Account) {
    this.#link = link;
    this.session = session;
    this.port = port;
    this.window = window;
    this.egress = new Egress(session, port, credit, this, link.idleCredit, account, link.meter);
  }

  data(bytes: Uint8Array, more: boolean): void {
    const { passing } = this.#link;
    // The side it would go to has closed.
    if (passing === 'ending') return;
    if (passing === 'early') throw new MatryoshkaError('relay.protocol', 'relay data before the link is open');
    if (bytes.length === 0) throw new MatryoshkaError('relay.protocol', 'empty relay data');
    this.window.receive(bytes.length);
    if (!this.#link.meter.take(bytes.length)) {
      this.#link.limitReached(this);
      return;
    }
    const { egress } = this.#link.other(this);
    egress.pass(bytes, more);
    // One end misuses the link; relays on the way may have passed on what they got, so that only the link ends.
    if (egress.pendingUnits > maxPendingUnits(this.window.size))
      this.#link.shut(new MatryoshkaError('relay.limit', 'too many small pieces of relay data wait'));
  }

  /** An answer, or news of a stall on the way. */
  status(message: RelayStatus): void {
    if (message.status === 'stalled' || message.status === 'flowing') this.#stall.path(message.status === 'stalled');
    else this.#link.answered(this, message);
  }

  /** Whoever is on this side grants more: bytes in all, absolute. */
  credited(total: number): void {
    this.egress.credited(total);
  }

  returned(bytes: number): void {
    const { passing } = this.#link;
    if (passing === 'ending') return;
    if (passing === 'early') throw new MatryoshkaError('relay.protocol', 'credit given back before the link is open');
    if (this.window.returned(bytes)) this.#grant();
  }

  closedByPeer(reason: MatryoshkaError): void {
    this.#link.closedBy(this, reason);
  }

  carrierLost(): void {
    this.#link.carrierLost(this);
  }

  carrierStalled(): void {
    this.#stall.carrier(true);
  }

  carrierFlowing(resumed: boolean): void {
    this.#stall.carrier(false);
    if (resumed && this.#link.passing === 'open') this.session.send({ type: 'relay-credit', port: this.port, total: this.window.granted });
  }

  stallChanged(stalled: boolean): void {
    if (this.#link.passing === 'open') this.#link.other(this).sayStall(stalled);
    else this.#link.stalled(this, stalled);
  }

  /** Tells this side whether the other one is stalled. */
  sayStall(stalled: boolean): void {
    this.session.send({ type: 'relay-status', port: this.port, status: stalled ? 'stalled' : 'flowing' });
  }

  shut(reason: MatryoshkaError): void {
    this.#link.shut(reason);
  }

  /** Sends relay-close. */
  sayClose(reason: MatryoshkaError): void {
    this.session.send({ type: 'relay-close', port: this.port, reason: reason.code });
  }

  /** Runs `run` once all that is queued for this side has gone out; at once where nothing is. */
  whenDrained(run: () => void): void {
    if (this.egress.pendingBytes === 0) run();
    else this.#whenDrained = run;
  }

  // ---- EgressHost --------------------------------------------------------------------------------------------------

  /** Sealed into this side's session: that is when the other side's bytes count as consumed, hop by hop (principle 4). */
  consumed(bytes: number): void {
    const other = this.#link.other(this);
    if (other.window.consume(bytes) && this.#link.passing === 'open') other.#grant();
  }

  giveBack(bytes: number): void {
    this.session.send({ type: 'relay-credit-return', port: this.port, bytes });
  }

  unitSent(): void {}

  drained(): void {
    const run = this.#whenDrained;
    this.#whenDrained = undefined;
    run?.();
  }

  #grant(): void {
    const { session } = this;
    session.measureRoundTrip();
    session.send({ type: 'relay-credit', port: this.port, total: this.window.announce(this.#link.clock.now(), session.roundTripMs) });
  }
}
