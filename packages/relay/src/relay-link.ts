import { ReceiveWindow, type Session } from '@matryoshka/peer';
import { Queue } from '@matryoshka/session';
import { type CloseReason, type Link, type LinkHandler, type LinkInfo, MAX_MESSAGE_LENGTH, UNSENT_LIMIT_BYTES } from '@matryoshka/transport';
import { type Endpoint, HANDSHAKE_ANSWER_LENGTH, MatryoshkaError, type RelayLimits, type RelayStatus } from '@matryoshka/wire';
import { Egress, type EgressHost } from './egress.ts';
import type { LinkEnd } from './link-end.ts';
import { Reassembly } from './reassembly.ts';

/** Relay links may be nested this deep (docs/protocol.md §11). */
export const MAX_NESTING = 15;

/** No limit in any respect (R16). */
export const UNLIMITED: RelayLimits = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };

/** What a relay link is made with. */
export interface RelayLinkParts {
  readonly session: Session;
  readonly port: bigint;
  readonly role: 'originator' | 'destination';
  /** The far end as this side knows it; the relay port is added. */
  readonly remote: Endpoint;
  /** Credit granted to the other side, in bytes. */
  readonly window: number;
  /** Credit the other side granted; 0 for an originator that waits for its answer. */
  readonly credit: number;
  /** The link is over; its port may be forgotten. */
  forget(): void;
  /** The originator's request was answered. */
  answered?(error: MatryoshkaError | undefined): void;
}

type State = 'requested' | 'offered' | 'open' | 'closing' | 'closed';

/**
 * One end of a relay link: a `Link` made of messages in another session (principle 1).
 *
 * | state | on | next |
 * |---|---|---|
 * | `requested` (originator) | status accepted | `open`; the answer is the first message |
 * | `requested` | status refused, carrier lost, `close()` | `closed` |
 * | `offered` (destination) | first `send()` | `open`; it goes out inside `accepted` |
 * | `offered` | `close()` | `closed`; `refused{reason}` goes out |
 * | `open` | `close()` | `closing` until all is sent, then relay-close and `closed` |
 * | `open`, `closing` | relay-close, carrier lost | `closed` |
 */
export class RelayLink implements Link, LinkEnd, EgressHost {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly info: LinkInfo;
  readonly port: bigint;
  readonly #session: Session;
  readonly #parts: RelayLinkParts;
  readonly #window: ReceiveWindow;
  readonly #egress: Egress;
  readonly #reassembly = new Reassembly();
  readonly #held = new Queue<Uint8Array>();
  readonly #partsPerSend = new Queue<number>();
  #handler: LinkHandler | undefined;
  #state: State;
  #closeReason: MatryoshkaError | undefined;
  #paused = false;
  #full = false;
  #writtenSends = 0;
  #unitsSent = 0;

  constructor(parts: RelayLinkParts) {
    const { session, port } = parts;
    this.#parts = parts;
    this.#session = session;
    this.port = port;
    this.local = { ...session.link.local, relayPort: port };
    this.remote = { ...parts.remote, relayPort: port };
    this.info = { kind: 'relayed', nesting: session.link.info.nesting + 1, carriers: [session.id, ...session.link.info.carriers] };
    this.#window = new ReceiveWindow(parts.window, parts.window);
    this.#egress = new Egress(session, port, parts.credit, this);
    this.#state = parts.role === 'originator' ? 'requested' : 'offered';
  }

  // ---- Link --------------------------------------------------------------------------------------------------------

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    if (this.#state === 'closed') handler.closed(this.#closeReason as MatryoshkaError);
    else this.#deliverHeld();
  }

  send(parts: readonly Uint8Array[]): boolean {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length < 1 || length > MAX_MESSAGE_LENGTH) throw new RangeError(`a message has 1 to ${MAX_MESSAGE_LENGTH} bytes, not ${length}`);
    if (this.#state === 'closing' || this.#state === 'closed') return false;
    if (this.#state === 'offered') return this.#accept(parts, length);
    this.#partsPerSend.push(parts.length);
    for (let i = 0; i < parts.length; i++) this.#egress.lend(parts[i] as Uint8Array, i < parts.length - 1);
    this.#full = this.#egress.pendingBytes >= UNSENT_LIMIT_BYTES;
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverHeld();
  }

  close(reason: CloseReason = new MatryoshkaError('closed')): void {
    switch (this.#state) {
      case 'offered':
        this.#session.send({ type: 'relay-status', port: this.port, status: 'refused', reason: reason.code, retryAfterMs: reason.retryAfterMs ?? 0, limits: UNLIMITED });
        this.#finish(reason);
        break;
      case 'requested':
        this.#sayClose(reason);
        this.#finish(reason);
        break;
      case 'open':
        this.#state = 'closing';
        this.#closeReason = reason;
        if (this.#egress.pendingBytes === 0) this.drained();
        break;
      case 'closing':
      case 'closed':
        break;
      default:
        this.#state satisfies never;
    }
  }

  // ---- LinkEnd -----------------------------------------------------------------------------------------------------

  data(bytes: Uint8Array, more: boolean): void {
    if (this.#state === 'requested' || this.#state === 'offered') throw new MatryoshkaError('relay.protocol', 'relay data before the link is open');
    if (bytes.length === 0) throw new MatryoshkaError('relay.protocol', 'empty relay data');
    this.#window.receive(bytes.length);
    const message = this.#reassembly.add(bytes, more);
    if (message === undefined) {
      this.#consumed(bytes.length);
    } else if (this.#handler === undefined || this.#paused || this.#held.length > 0) {
      this.#held.push(message.slice());
    } else {
      this.#handler.message(message);
      this.#consumed(bytes.length);
    }
  }

  status(message: RelayStatus): void {
    if (this.#state !== 'requested') throw new MatryoshkaError('relay.protocol', 'a status nobody waits for');
    if (message.status === 'refused') {
      const error = new MatryoshkaError(message.reason, undefined, message.retryAfterMs > 0 ? { retryAfterMs: message.retryAfterMs } : {});
      this.#finish(error);
      return;
    }
    this.#state = 'open';
    this.#egress.credited(message.window);
    this.#held.push(message.answer.slice());
    this.#parts.answered?.(undefined);
  }

  credited(total: number): void {
    this.#egress.credited(total);
  }

  closedByPeer(reason: MatryoshkaError): void {
    this.#finish(reason);
  }

  carrierLost(): void {
    this.#finish(new MatryoshkaError('relay.carrier-lost'));
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

  // ---- EgressHost --------------------------------------------------------------------------------------------------

  consumed(): void {}

  unitSent(): void {
    if (++this.#unitsSent < (this.#partsPerSend.peek() as number)) return;
    this.#unitsSent = 0;
    this.#partsPerSend.shift();
    this.#handler?.written(++this.#writtenSends);
  }

  drained(): void {
    if (this.#state === 'closing') {
      const reason = this.#closeReason as MatryoshkaError;
      this.#sayClose(reason);
      this.#finish(reason);
    } else if (this.#full && this.#state === 'open') {
      this.#full = false;
      this.#handler?.writable();
    }
  }

  // ------------------------------------------------------------------------------------------------------------------

  /** The destination's first message goes out inside `accepted` (docs/protocol.md §8.2). */
  #accept(parts: readonly Uint8Array[], length: number): boolean {
    if (length !== HANDSHAKE_ANSWER_LENGTH) throw new RangeError(`the answer of a handshake has ${HANDSHAKE_ANSWER_LENGTH} bytes, not ${length}`);
    const answer = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      answer.set(part, at);
      at += part.length;
    }
    this.#state = 'open';
    this.#session.send({ type: 'relay-status', port: this.port, status: 'accepted', window: this.#window.size, limits: UNLIMITED, answer });
    this.#handler?.written(++this.#writtenSends);
    return true;
  }

  #consumed(bytes: number): void {
    const total = this.#window.consume(bytes);
    if (total !== undefined && (this.#state === 'open' || this.#state === 'closing')) this.#session.send({ type: 'relay-credit', port: this.port, total });
  }

  #deliverHeld(): void {
    while (this.#handler !== undefined && !this.#paused && this.#state !== 'closed') {
      const message = this.#held.shift();
      if (message === undefined) return;
      this.#handler.message(message);
      // The answer of the handshake came inside `accepted`: no relay data, no credit.
      if (this.#window.pending > 0) this.#consumed(Math.min(message.length, this.#window.pending));
    }
  }

  #sayClose(reason: MatryoshkaError): void {
    this.#session.send({ type: 'relay-close', port: this.port, reason: reason.code });
  }

  #finish(reason: MatryoshkaError): void {
    if (this.#state === 'closed') return;
    const waited = this.#state === 'requested';
    this.#state = 'closed';
    this.#closeReason = reason;
    this.#egress.stop();
    this.#reassembly.release();
    this.#held.clear();
    this.#parts.forget();
    if (waited) this.#parts.answered?.(reason);
    this.#handler?.closed(reason);
  }
}
