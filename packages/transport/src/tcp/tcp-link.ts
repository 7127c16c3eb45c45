import type { Socket } from 'node:net';
import { type Endpoint, MatryoshkaError, statedReason } from '@matryoshka/wire';
import type { Clock, Timer } from '../clock.ts';
import { DIRECT_LINK, FLUSH_TIMEOUT_MS, FRAME_TIMEOUT_MS } from '../direct-link.ts';
import type { CloseReason, Link, LinkHandler, LinkInfo } from '../link.ts';
import { linkMessageLength } from '../message-length.ts';
import type { StreamFraming } from '../stream-framing.ts';
import { endSilently } from './end-silently.ts';
import { systemReason } from './socket-endpoint.ts';
import type { SocketReader } from './socket-reader.ts';
import { SocketWriter } from './socket-writer.ts';

/** What a link is made of. */
export interface TcpLinkParts {
  /** Connected and paused; the link owns it from here. */
  readonly socket: Socket;
  /** What the socket is read by. */
  readonly reader: SocketReader;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly clock: Clock;
  /** May hold what came after the first message. */
  readonly framing: StreamFraming;
  /** On the accepting side only. */
  readonly accepted?: {
    /** Until when, on the clock, whoever is refused is told nothing. */
    readonly silentUntilMs: number;
    /** Called at the first send. */
    readonly answered: () => void;
  };
}

/** A link over a TCP socket. */
export class TcpLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly info: LinkInfo = DIRECT_LINK;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #framing: StreamFraming;
  readonly #accepted: TcpLinkParts['accepted'];
  readonly #writer: SocketWriter;
  #handler: LinkHandler | undefined;
  #paused = false;
  #pumping = false;
  #turnScheduled = false;
  #answered = false;
  #reported = 0;
  /** Since when a frame is incomplete; undefined while none is. */
  #incompleteSinceMs: number | undefined;
  #frameTimer: Timer | undefined;
  #closeTimer: Timer | undefined;
  #error: Error | undefined;
  /** The other side has said that nothing follows; what came before may still be here. */
  #ended = false;
  /** Why this side closes: set at the close, reported once what was sent is out. */
  #closing: CloseReason | undefined;
  #finished = false;
  #closedReported = false;
  /** Bytes that are still read and dropped, where this side closes for something that did not authenticate. */
  #readOnLength: number | undefined;

  constructor(parts: TcpLinkParts) {
    this.local = parts.local;
    this.remote = parts.remote;
    this.#clock = parts.clock;
    this.#framing = parts.framing;
    this.#accepted = parts.accepted;
    this.#socket = parts.socket;
    this.#writer = new SocketWriter(parts.socket, parts.clock, () => this.#reportWritten());
    parts.reader.receive = (chunk) => this.#receive(chunk);
    this.#socket
      .on('end', () => this.#remoteEnded())
      .on('finish', () => this.#flushed())
      .on('error', (error) => (this.#error = error))
      .on('close', () => this.#socketClosed());
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#restartFrameTime();
    this.#takeTurn();
  }

  send(parts: readonly Uint8Array[]): boolean {
    const length = linkMessageLength(parts);
    if (this.#closing !== undefined || this.#finished) return false;
    const { maskOut } = this.#framing;
    if (maskOut !== undefined) return this.#writer.send(parts, length, maskOut);
    const veiled = this.#framing.veil(parts, length);
    if (!this.#answered) {
      this.#answered = true;
      this.#accepted?.answered();
    }
    return this.#writer.sendBytes(veiled);
  }

  protect(maskOut: Uint8Array, maskIn: Uint8Array): void {
    this.#framing.protect(maskOut, maskIn);
  }

  pause(): void {
    this.#paused = true;
    if (this.#closing === undefined) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#restartFrameTime();
    this.#takeTurn();
  }

  close(reason: CloseReason = statedReason('closed')): void {
    this.#close(reason, reason.kind === 'authentication');
  }

  /** @param unauthenticated - what came may be of anybody, who shall not see what of it was wrong */
  #close(reason: CloseReason, unauthenticated: boolean): void {
    if (this.#closing !== undefined || this.#finished) return;
    this.#closing = reason;
    this.#frameTimer?.cancel();
    // From here on all that comes is read and dropped: closing with something unread would reset the connection, and
    // the other side would lose what it was sent. A socket that only does that keeps no process alive (`unref`).
    this.#socket.resume();
    const silenceMs = (this.#accepted?.silentUntilMs ?? 0) - this.#clock.now();
    if (this.#accepted !== undefined && !this.#answered && silenceMs > 0) {
      this.#closeTimer = this.#clock.after(silenceMs, () => endSilently(this.#socket, this.#clock));
      this.#socket.unref();
      this.#finish(reason);
    } else if (unauthenticated && !this.#ended) {
      this.#readOn();
    } else {
      this.#end();
    }
  }

  /**
   * As if a frame were longer than it is: reads so much more, or so long, and ends only then (docs/protocol.md §2.3). Its
   * owner hears of the end before.
   */
  #readOn(): void {
    this.#readOnLength = this.#framing.readOnLength();
    this.#closeTimer = this.#clock.after(FRAME_TIMEOUT_MS, () => this.#readOnEnds());
    this.#writer.flush();
    this.#socket.unref();
    this.#releaseOwner();
  }

  /** What its owner has lent must be out before. */
  #releaseOwner(): void {
    if (this.#readOnLength !== undefined && this.#writer.idle) this.#finish(this.#closing as CloseReason);
  }

  #readOnEnds(): void {
    this.#readOnLength = undefined;
    this.#closeTimer?.cancel();
    this.#end();
  }

  #end(): void {
    this.#writer.end();
    this.#awaitFlush(this.#writer.written);
  }

  /** A slow path may take its time, as long as something goes out. */
  #awaitFlush(written: number): void {
    this.#closeTimer = this.#clock.after(FLUSH_TIMEOUT_MS, () => {
      if (this.#writer.written > written) this.#awaitFlush(this.#writer.written);
      else this.#socket.destroy();
    });
  }

  #flushed(): void {
    // A socket whose other side ended also ends by itself; that is no close of ours.
    if (this.#closing === undefined) return;
    this.#socket.unref();
    this.#finish(this.#closing);
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
    const { written } = this.#writer;
    this.#releaseOwner();
    if (this.#handler === undefined || this.#closedReported) return;
    if (written > this.#reported) {
      this.#reported = written;
      this.#handler.written(written);
    }
    if (this.#closing === undefined && !this.#finished && this.#writer.takeWritable()) this.#handler.writable();
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closing !== undefined || this.#finished) {
      if (this.#readOnLength === undefined) return;
      this.#readOnLength -= chunk.length;
      if (this.#readOnLength <= 0) this.#readOnEnds();
      return;
    }
    this.#framing.feed(chunk);
    this.#pump();
    if (this.#closing === undefined) this.#framing.keep();
  }

  /** Delivers what is there as long as the owner wants it, then asks for more. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#flows) {
        const frame = this.#nextFrame();
        if (frame === undefined) break;
        this.#incompleteSinceMs = undefined;
        (this.#handler as LinkHandler).message(frame);
      }
    } finally {
      this.#pumping = false;
    }
    if (!this.#flows) return;
    if (this.#ended) {
      this.#finish(new MatryoshkaError('transport.closed', 'the other side closed the connection'));
      // It takes nothing any more, so there is nothing to flush.
      this.#socket.destroy();
      return;
    }
    this.#watchFrame();
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  get #flows(): boolean {
    return this.#handler !== undefined && !this.#paused && this.#closing === undefined && !this.#finished;
  }

  #nextFrame(): Uint8Array | undefined {
    try {
      return this.#framing.next();
    } catch (error) {
      this.#close(error as MatryoshkaError, true);
      return undefined;
    }
  }

  /** One timer per link at most, and none is touched while frames come and go. */
  #watchFrame(): void {
    if (!this.#framing.incomplete) return;
    this.#incompleteSinceMs ??= this.#clock.now();
    this.#frameTimer ??= this.#clock.after(FRAME_TIMEOUT_MS, this.#frameTimeout);
  }

  readonly #frameTimeout = (): void => {
    this.#frameTimer = undefined;
    if (this.#closing !== undefined || this.#finished) return;
    if (this.#flows && !this.#framing.incomplete) {
      this.#framing.release();
      return;
    }
    // While the owner does not read, the sender cannot be late.
    const sinceMs = this.#flows ? (this.#incompleteSinceMs ?? this.#clock.now()) : this.#clock.now();
    this.#incompleteSinceMs = sinceMs;
    const remainingMs = sinceMs + FRAME_TIMEOUT_MS - this.#clock.now();
    if (remainingMs > 0) this.#frameTimer = this.#clock.after(remainingMs, this.#frameTimeout);
    else this.close(new MatryoshkaError('transport.frame-incomplete'));
  };

  #restartFrameTime(): void {
    if (this.#incompleteSinceMs !== undefined) this.#incompleteSinceMs = this.#clock.now();
  }

  /** The socket says so even while it is paused, so the owner may have messages to take before. */
  #remoteEnded(): void {
    this.#ended = true;
    if (this.#readOnLength === undefined) this.#pump();
    else this.#readOnEnds();
  }

  #socketClosed(): void {
    this.#frameTimer?.cancel();
    this.#closeTimer?.cancel();
    if (this.#ended && this.#error === undefined && this.#closing === undefined) return;
    const message = this.#error === undefined ? 'the connection closed' : `the connection broke: ${systemReason(this.#error)}`;
    this.#finish(new MatryoshkaError('transport.closed', message, { cause: this.#error }));
  }

  /** `reason` counts where this side has not closed for a reason of its own. */
  #finish(reason: CloseReason): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#closing ??= reason;
    this.#takeTurn();
  }
}
