import { type Endpoint, statedReason } from '@matryoshka/wire';
import type { Clock, Timer } from '../clock.ts';
import { DIRECT_LINK, FLUSH_TIMEOUT_MS } from '../direct-link.ts';
import type { CloseReason, Link, LinkHandler, LinkInfo } from '../link.ts';
import { linkMessageLength } from '../message-length.ts';
import type { MessageSocket } from './message-socket.ts';
import { protocolFault } from './websocket-protocol.ts';

/**
 * Most bytes kept for an owner that takes none, where the other side cannot be told to stop. Far more than a handshake
 * brings, which is all that comes before a session owns the link.
 */
const HELD_LIMIT_BYTES: number = 256 * 1024;
/** What keeping a message costs besides its own bytes. */
const HELD_OVERHEAD_BYTES = 128;

/** What a link is made of. */
export interface WebSocketLinkParts {
  /** Open; the link owns it from here. */
  readonly socket: MessageSocket;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly clock: Clock;
  /** On the accepting side only. */
  readonly accepted?: {
    /** Until when, on the clock, whoever is refused is told nothing. */
    readonly silentUntilMs: number;
    /** Called at the first send. */
    readonly answered: () => void;
  };
}

/** A link over a WebSocket: one message of the link is one binary message of the WebSocket. */
export class WebSocketLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly info: LinkInfo = DIRECT_LINK;
  readonly #socket: MessageSocket;
  readonly #clock: Clock;
  readonly #accepted: WebSocketLinkParts['accepted'];
  #handler: LinkHandler | undefined;
  #paused = false;
  #turnScheduled = false;
  #pumping = false;
  #answered = false;
  #reported = 0;
  /** Messages that came while the owner took none. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #silenceTimer: Timer | undefined;
  #flushTimer: Timer | undefined;
  /** Why nothing more comes; what came before may still be held. */
  #ended: CloseReason | undefined;
  /** Why this side closes: set at the close, reported once what was sent is out. */
  #closing: CloseReason | undefined;
  #finished = false;
  #closedReported = false;

  constructor(parts: WebSocketLinkParts) {
    this.local = parts.local;
    this.remote = parts.remote;
    this.#clock = parts.clock;
    this.#accepted = parts.accepted;
    this.#socket = parts.socket;
    // Nothing is read before there is an owner.
    this.#socket.pause();
    this.#socket.attach({
      message: (bytes) => this.#receive(bytes),
      progressed: () => this.#reportWritten(),
      flushed: () => this.#finish(this.#closing as CloseReason),
      ended: (reason) => this.#remoteEnded(reason),
    });
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#takeTurn();
  }

  /** The WebSocket has lengths of its own, which are not ours to mask. */
  protect(): void {}

  send(parts: readonly Uint8Array[]): boolean {
    const length = linkMessageLength(parts);
    if (this.#closing !== undefined || this.#finished) return false;
    if (!this.#answered) {
      this.#answered = true;
      this.#accepted?.answered();
    }
    return this.#socket.send(parts, length);
  }

  pause(): void {
    this.#paused = true;
    if (this.#closing === undefined) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#takeTurn();
  }

  close(reason: CloseReason = statedReason('closed')): void {
    if (this.#closing !== undefined || this.#finished) return;
    this.#closing = reason;
    this.#held = [];
    // From here on all that comes is read and dropped: the other side's close stands behind it.
    this.#socket.resume();
    const silenceMs = (this.#accepted?.silentUntilMs ?? 0) - this.#clock.now();
    if (this.#accepted !== undefined && !this.#answered && silenceMs > 0) {
      // No close: whoever is refused could take its time to answer it.
      this.#silenceTimer = this.#clock.after(silenceMs, () => this.#socket.destroy());
      this.#finish(reason);
    } else {
      this.#awaitFlush(this.#socket.unsentBytes);
      this.#socket.close();
    }
  }

  /** A slow path may take its time, as long as something goes out. */
  #awaitFlush(unsentBytes: number): void {
    this.#flushTimer = this.#clock.after(FLUSH_TIMEOUT_MS, () => {
      if (this.#socket.unsentBytes < unsentBytes) {
        this.#awaitFlush(this.#socket.unsentBytes);
        return;
      }
      this.#socket.destroy();
      this.#finish(this.#closing as CloseReason);
    });
  }

  /** What the owner has not asked for right now happens at the end of the tick. */
  #takeTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnScheduled = false;
    this.#reportWritten();
    this.#pump();
    if (!this.#finished || this.#closedReported || this.#handler === undefined) return;
    this.#closedReported = true;
    this.#handler.closed(this.#closing as CloseReason);
  };

  #reportWritten(): void {
    const { written } = this.#socket;
    if (this.#handler === undefined || this.#closedReported) return;
    if (written > this.#reported) {
      this.#reported = written;
      this.#handler.written(written);
    }
    if (this.#closing === undefined && !this.#finished && this.#socket.takeWritable()) this.#handler.writable();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closing !== undefined || this.#finished) return;
    if (this.#flows && this.#held.length === 0) {
      (this.#handler as LinkHandler).message(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length + HELD_OVERHEAD_BYTES;
    // Where the sender stops, no more comes than was read already.
    if (this.#heldBytes > HELD_LIMIT_BYTES && !this.#socket.stopsSender)
      this.close(protocolFault('more came than is kept while nobody takes it'));
  }

  /** Delivers what is held as long as the owner wants it, then asks for more. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const held = this.#held;
    let count = 0;
    try {
      while (count < held.length && this.#flows) {
        const bytes = held[count++] as Uint8Array;
        this.#heldBytes -= bytes.length + HELD_OVERHEAD_BYTES;
        (this.#handler as LinkHandler).message(bytes);
      }
    } finally {
      this.#pumping = false;
      held.splice(0, count);
    }
    if (held.length > 0) return;
    if (this.#ended !== undefined) this.#finish(this.#ended);
    else if (this.#flows) this.#socket.resume();
  }

  get #flows(): boolean {
    return this.#handler !== undefined && !this.#paused && this.#closing === undefined && !this.#finished;
  }

  #remoteEnded(reason: CloseReason): void {
    this.#silenceTimer?.cancel();
    this.#ended = reason;
    this.#pump();
  }

  /** `reason` counts where this side has not closed for a reason of its own. */
  #finish(reason: CloseReason): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#closing ??= reason;
    this.#flushTimer?.cancel();
    this.#takeTurn();
  }
}
