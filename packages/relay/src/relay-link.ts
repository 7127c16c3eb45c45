import type { Session } from '@matryoshka/peer';
import {
  type Clock,
  type CloseReason,
  type Link,
  type LinkHandler,
  type LinkInfo,
  type Timer,
  UNSENT_LIMIT_BYTES,
  linkMessageLength,
} from '@matryoshka/transport';
import {
  type Endpoint,
  HANDSHAKE_ANSWER_LENGTH,
  MatryoshkaError,
  type RelayLimits,
  type RelayStatus,
  statedReason,
} from '@matryoshka/wire';
import { DrainTimer } from './drain-timer.ts';
import { Egress, type EgressHost } from './egress.ts';
import type { IdleCredit } from './idle-credit.ts';
import { Inbox, type InboxHost } from './inbox.ts';
import { type LinkEnd, refusalOf } from './link-end.ts';
import { UNLIMITED } from './relay-limits.ts';
import type { RelayWindow } from './relay-window.ts';
import { reported, reportedEnd, reportedRefusal } from './reported.ts';
import { Stall, type StallHost } from './stall.ts';

/** Relay links may be nested this deep (docs/protocol.md §11). */
export const MAX_NESTING = 15;

/** What a relay link is made with. */
export interface RelayLinkParts {
  readonly clock: Clock;
  readonly idleCredit: IdleCredit;
  readonly session: Session;
  readonly port: bigint;
  readonly role: 'originator' | 'destination';
  /** The far end as this side knows it; the relay port is added. */
  readonly remote: Endpoint;
  /** Credit granted to the other side. It goes back to its pool when the link holds nothing any more. */
  readonly window: RelayWindow;
  /** Credit the other side granted; 0 for an originator that waits for its answer. */
  readonly credit: number;
  /** The link is over; its port may be forgotten. */
  forget(): void;
  /** The originator's request was answered; undefined: accepted. */
  answered?(error: MatryoshkaError | undefined): void;
}

type State = 'requested' | 'offered' | 'open' | 'closing' | 'closed';

/**
 * One end of a relay link: a `Link` made of messages in another session (principle 1). Messages come as they arrive,
 * everything else its owner hears at the end of a tick, never inside a call of its own.
 *
 * | state | on | next |
 * |---|---|---|
 * | `requested` (originator) | status accepted | `open`; the answer is the first message |
 * | `requested` | status refused, carrier lost, `close()` | `closed` |
 * | `offered` (destination) | first `send()` | `open`; it goes out inside `accepted` |
 * | `offered` | `close()` | `closed`; `refused{reason}` goes out |
 * | `open` | `close()` | `closing` until all is sent or nothing is any more, then relay-close and `closed` |
 * | `open`, `closing` | relay-close, carrier lost | `closed`; what has come before still reaches the owner |
 */
export class RelayLink implements Link, LinkEnd, EgressHost, InboxHost, StallHost {
  /** This end: that of the session that carries it, with the relay port. */
  readonly local: Endpoint;
  /** The other end, as whoever opened it named it, with the relay port; of an accepted one the last relay. */
  readonly remote: Endpoint;
  /** Its number on the session that carries it. */
  readonly port: bigint;
  readonly #session: Session;
  readonly #parts: RelayLinkParts;
  readonly #inbox: Inbox;
  readonly #egress: Egress;
  readonly #stall = new Stall(this);
  /** What the owner was told of it. */
  #stallTold = false;
  #handler: LinkHandler | undefined;
  #state: State;
  #closeReason: MatryoshkaError | undefined;
  #drainTimer: Timer | undefined;
  #paused = false;
  #full = false;
  #writtenSends = 0;
  #reportedSends = 0;
  #turnDue = false;
  #closedReported = false;
  #limits: RelayLimits = UNLIMITED;
  #info: LinkInfo | undefined;
  /** That of the carrier which it was made of. */
  #infoOf: LinkInfo | undefined;

  constructor(parts: RelayLinkParts) {
    const { session, port } = parts;
    this.#parts = parts;
    this.#session = session;
    this.port = port;
    this.local = { ...session.link.local, relayPort: port };
    this.remote = { ...parts.remote, relayPort: port };
    this.#inbox = new Inbox(parts.window, this);
    this.#egress = new Egress(session, port, parts.credit, this, parts.idleCredit);
    this.#state = parts.role === 'originator' ? 'requested' : 'offered';
  }

  /** Made anew when what carries the session has changed. */
  get info(): LinkInfo {
    const { id, link } = this.#session;
    const carrier = link.info;
    if (this.#info === undefined || this.#infoOf !== carrier) {
      this.#infoOf = carrier;
      this.#info = { kind: 'relayed', nesting: carrier.nesting + 1, carriers: [id, ...carrier.carriers], limits: this.#limits };
    }
    return this.#info;
  }

  // ---- Link --------------------------------------------------------------------------------------------------------

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    // Whoever owned it before may have let that go.
    this.#stallTold = false;
    this.#takeTurn();
  }

  /** Its messages travel inside records, where nobody sees their lengths. */
  protect(): void {}

  send(parts: readonly Uint8Array[]): boolean {
    const length = linkMessageLength(parts);
    if (this.#state === 'closing' || this.#state === 'closed') return false;
    if (this.#state === 'requested') throw new TypeError('a relay link that is not open yet');
    if (this.#state === 'offered') return this.#accept(parts, length);
    this.#egress.lend(parts, false);
    if (this.#egress.pendingBytes >= UNSENT_LIMIT_BYTES) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on with what has come meanwhile. */
  resume(): void {
    this.#paused = false;
    this.#takeTurn();
  }

  close(reason: CloseReason = statedReason('closed')): void {
    // Its owner wants nothing any more, also of what came before the other side closed.
    this.#inbox.discard();
    switch (this.#state) {
      case 'offered':
        this.#session.send(refusalOf(this.port, reason));
        this.#finish(reason);
        break;
      case 'requested':
        this.#sayClose(reason);
        this.#finish(reason);
        break;
      case 'open':
        this.#state = 'closing';
        this.#closeReason = reason;
        if (this.#egress.pendingBytes === 0) this.#finishClosing();
        else this.#drainTimer = new DrainTimer(this.#parts.clock, this.#egress, () => this.#finishClosing());
        break;
      case 'closing':
        break;
      case 'closed':
        this.#parts.window.release();
        break;
      default:
        this.#state satisfies never;
    }
  }

  // ---- LinkEnd -----------------------------------------------------------------------------------------------------

  data(bytes: Uint8Array, more: boolean): void {
    if (this.#state === 'requested' || this.#state === 'offered')
      throw new MatryoshkaError('relay.protocol', 'relay data before the link is open');
    if (this.#state !== 'open') return;
    this.#inbox.data(bytes, more, this.#handler === undefined || this.#paused ? undefined : this.#deliver);
  }

  /** An answer to the request, or news of a stall on the way. */
  status(message: RelayStatus): void {
    if (message.status === 'stalled' || message.status === 'flowing') {
      this.#stall.path(message.status === 'stalled');
      return;
    }
    if (this.#state !== 'requested') throw new MatryoshkaError('relay.protocol', 'a status nobody waits for');
    if (message.status === 'refused') {
      const error = new MatryoshkaError(message.reason, undefined, {
        limits: message.limits,
        ...(message.retryAfterMs > 0 && { retryAfterMs: message.retryAfterMs }),
      });
      this.#finish(reported(error, reportedRefusal));
      return;
    }
    this.#state = 'open';
    this.#limits = message.limits;
    this.#info = undefined;
    this.#egress.credited(message.window);
    this.#inbox.answer(message.answer);
    this.#parts.answered?.(undefined);
    this.#takeTurn();
  }

  /** The other end grants more: bytes in all, absolute. */
  credited(total: number): void {
    this.#egress.credited(total);
  }

  returned(bytes: number): void {
    if (this.#state === 'requested' || this.#state === 'offered')
      throw new MatryoshkaError('relay.protocol', 'credit given back before the link is open');
    if (this.#state === 'open' && this.#parts.window.returned(bytes)) this.grant();
  }

  closedByPeer(reason: MatryoshkaError): void {
    this.#finish(reported(reason, reportedEnd));
  }

  carrierLost(): void {
    this.#finish(new MatryoshkaError('relay.carrier-lost'));
  }

  carrierStalled(): void {
    this.#stall.carrier(true);
  }

  carrierFlowing(resumed: boolean): void {
    this.#stall.carrier(false);
    if (resumed && this.#state === 'open') this.#session.send({ type: 'relay-credit', port: this.port, total: this.#parts.window.granted });
  }

  shut(reason: MatryoshkaError): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'offered') {
      this.close(reason);
      return;
    }
    this.#sayClose(reason);
    this.#finish(reason);
  }

  // ---- InboxHost, EgressHost, StallHost ----------------------------------------------------------------------------

  grant(): void {
    if (this.#state !== 'open') return;
    const { clock, window } = this.#parts;
    this.#session.measureRoundTrip();
    this.#session.send({ type: 'relay-credit', port: this.port, total: window.announce(clock.now(), this.#session.roundTripMs) });
  }

  giveBack(bytes: number): void {
    this.#session.send({ type: 'relay-credit-return', port: this.port, bytes });
  }

  misused(error: MatryoshkaError): void {
    // Nobody is blamed for another's deed: the relays on the way passed on what they got.
    this.shut(error);
  }

  stallChanged(): void {
    this.#takeTurn();
  }

  consumed(): void {}

  unitSent(): void {
    this.#written();
  }

  drained(): void {
    if (this.#state === 'closing') {
      this.#finishClosing();
    } else if (this.#full && this.#state === 'open') {
      this.#full = false;
      this.#handler?.writable();
    }
  }

  // ------------------------------------------------------------------------------------------------------------------

  readonly #deliver = (message: Uint8Array): void => this.#handler?.message(message);

  /** What the owner hears other than data comes from here, once per tick. */
  #takeTurn(): void {
    if (this.#turnDue || this.#closedReported) return;
    this.#turnDue = true;
    this.#parts.clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnDue = false;
    while (this.#handler !== undefined && !this.#paused && this.#inbox.deliverOne(this.#deliver));
    if (this.#handler === undefined || this.#closedReported) return;
    if (this.#reportedSends < this.#writtenSends) {
      this.#reportedSends = this.#writtenSends;
      this.#handler.written(this.#writtenSends);
    }
    if (this.#stall.stalled !== this.#stallTold && this.#state === 'open') {
      this.#stallTold = this.#stall.stalled;
      if (this.#stallTold) this.#handler.stalled();
      else this.#handler.flowing();
    }
    if (this.#state === 'closed' && this.#inbox.empty) {
      this.#closedReported = true;
      this.#parts.window.release();
      this.#handler.closed(this.#closeReason as MatryoshkaError);
    }
  };

  /** The destination's first message goes out inside `accepted` (docs/protocol.md §8.2). */
  #accept(parts: readonly Uint8Array[], length: number): boolean {
    if (length !== HANDSHAKE_ANSWER_LENGTH)
      throw new RangeError(`the answer of a handshake has ${HANDSHAKE_ANSWER_LENGTH} bytes, not ${length}`);
    const answer = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      answer.set(part, at);
      at += part.length;
    }
    this.#state = 'open';
    this.#session.send({
      type: 'relay-status',
      port: this.port,
      status: 'accepted',
      window: this.#parts.window.size,
      limits: UNLIMITED,
      answer,
    });
    this.#egress.open();
    this.#written();
    return true;
  }

  #written(): void {
    this.#writtenSends++;
    this.#takeTurn();
  }

  #sayClose(reason: MatryoshkaError): void {
    this.#session.send({ type: 'relay-close', port: this.port, reason: reason.code });
  }

  #finishClosing(): void {
    const reason = this.#closeReason as MatryoshkaError;
    this.#sayClose(reason);
    this.#finish(reason);
  }

  #finish(reason: MatryoshkaError): void {
    if (this.#state === 'closed') return;
    const waited = this.#state === 'requested';
    this.#state = 'closed';
    this.#closeReason ??= reason;
    this.#drainTimer?.cancel();
    this.#egress.stop();
    this.#inbox.end();
    if (this.#inbox.empty) this.#parts.window.release();
    this.#parts.forget();
    if (waited) this.#parts.answered?.(reason);
    this.#takeTurn();
  }
}
