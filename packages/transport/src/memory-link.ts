import { MatryoshkaError, type Endpoint, statedReason } from '@matryoshka/wire';
import type { Clock, Timer } from './clock.ts';
import { DIRECT_LINK, FLUSH_TIMEOUT_MS } from './direct-link.ts';
import { type CloseReason, type Link, type LinkHandler, type LinkInfo, UNSENT_LIMIT_BYTES } from './link.ts';
import { linkMessageLength } from './message-length.ts';

/** Most bytes on their way or held for an owner, per direction; more stay with the sender, as with a socket's buffer. */
const CARRIER_LIMIT_BYTES: number = 256 * 1024;

/** How a pair of links in memory behaves. */
export interface MemoryLinkOptions {
  /** Time. */
  readonly clock: Clock;
  /** Local endpoint of the dialled link. */
  readonly dialler?: Endpoint;
  /** Local endpoint of the accepted link. */
  readonly listener?: Endpoint;
  /** How long a message of so many bytes from one side travels, in milliseconds; asked once per message, order is kept. Default 0. */
  readonly delayMs?: (from: Endpoint, to: Endpoint, length: number) => number;
  /** Sees each message when it leaves and may overwrite it: the bytes are a copy. */
  readonly observe?: (from: Endpoint, to: Endpoint, message: Uint8Array) => void;
  /** Sees each message when its owner gets it, before the owner does. */
  readonly delivered?: (from: Endpoint, to: Endpoint, message: Uint8Array) => void;
  /** For how long an accepted link that is closed unanswered stays silent, in milliseconds. Default 0. */
  readonly refusalMs?: number;
  /** Called once, when both ends are closed. */
  readonly ended?: () => void;
}

// Addresses for documentation (RFC 5737).
const DIALLER: Endpoint = { transport: 'tcp', host: '192.0.2.1', port: 49_152 };
const LISTENER: Endpoint = { transport: 'tcp', host: '192.0.2.2', port: 999 };

/** An owner to whom nothing matters any more. */
const NOBODY: LinkHandler = { message() {}, written() {}, writable() {}, stalled() {}, flowing() {}, closed() {} };

/** How one end of a link breaks. */
export interface BreakOptions {
  /** Tells the owner first what was written (default), or leaves that open, as a socket that fails may. */
  readonly counted?: boolean;
  /** Tells the owner nothing at all: it is gone itself. */
  readonly silent?: boolean;
}

interface Sending {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}

/** What is on its way to an end: a message, or (undefined) the end of them. */
interface Arrival {
  readonly atMs: number;
  readonly bytes: Uint8Array | undefined;
}

/** One of the two ends. All callbacks run from the clock, never inside a call of the owner. */
export class MemoryLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly info: LinkInfo = DIRECT_LINK;
  readonly #options: MemoryLinkOptions;
  readonly #clock: Clock;
  readonly #accepted: boolean;
  #far!: MemoryLink;
  #handler: LinkHandler | undefined;
  #paused = false;
  #turnScheduled = false;

  #unsent: Sending[] = [];
  #unsentBytes = 0;
  #blocked = false;
  /** Bytes that were sent and never arrive, once nothing arrives any more. */
  #lostBytes: number | undefined;
  #losesInFlight = false;
  #sends = 0;
  #written = 0;
  #reported = 0;

  #arrivals: Arrival[] = [];
  #arrivingBytes = 0;
  #lastArrivalMs = 0;
  #arrivalTimer: Timer | undefined;

  /** Why this end closes: set at the close, reported once what was sent is out. */
  #closing: CloseReason | undefined;
  #finished = false;
  #closedReported = false;
  #flushTimer: Timer | undefined;

  constructor(options: MemoryLinkOptions, accepted: boolean) {
    this.#options = options;
    this.#clock = options.clock;
    this.#accepted = accepted;
    const { dialler = DIALLER, listener = LISTENER } = options;
    this.local = accepted ? listener : dialler;
    this.remote = accepted ? dialler : listener;
  }

  /** Makes the two ends of a link: the dialled and the accepted one. */
  static pair(options: MemoryLinkOptions): [MemoryLink, MemoryLink] {
    const dialled = new MemoryLink(options, false);
    const accepted = new MemoryLink(options, true);
    dialled.#far = accepted;
    accepted.#far = dialled;
    return [dialled, accepted];
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#takeTurn();
  }

  /** Nothing stands between its messages. */
  protect(): void {}

  send(parts: readonly Uint8Array[]): boolean {
    const length = linkMessageLength(parts);
    if (this.#closing !== undefined || this.#finished) return false;
    this.#sends++;
    this.#unsent.push({ parts, length });
    this.#unsentBytes += length;
    this.#takeTurn();
    if (this.#unsentBytes < UNSENT_LIMIT_BYTES) return true;
    this.#blocked = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#takeTurn();
  }

  close(reason: CloseReason = statedReason('closed')): void {
    if (this.#closing !== undefined || this.#finished) return;
    this.#closing = reason;
    this.#discardArrivals();
    this.#awaitFlush(this.#unsentBytes);
    this.#takeTurn();
  }

  /** A slow path may take its time, as long as something goes out. */
  #awaitFlush(unsentBytes: number): void {
    this.#flushTimer = this.#clock.after(FLUSH_TIMEOUT_MS, () => {
      if (this.#unsentBytes < unsentBytes) {
        this.#awaitFlush(this.#unsentBytes);
        return;
      }
      this.#unsent = [];
      this.#takeTurn();
    });
  }

  /** Ends both sides at once; what is on its way is lost. */
  break(reason: CloseReason): void {
    for (const end of [this, this.#far]) end.breakEnd(reason);
  }

  /** Ends this side alone: the other one learns nothing from it. */
  breakEnd(reason: CloseReason, { counted = true, silent = false }: BreakOptions = {}): void {
    if (!counted) this.#written = this.#reported;
    if (silent) this.#handler = NOBODY;
    this.#unsent = [];
    this.#discardArrivals();
    this.#finish(reason);
  }

  /**
   * From now on nothing that this side sends arrives, and nobody is told: the carrier takes what it has room for and no
   * more. With `inFlight`, what is on its way does not arrive either.
   */
  lose(inFlight: boolean): void {
    const far = this.#far;
    this.#lostBytes ??= 0;
    if (!inFlight) return;
    this.#losesInFlight = true;
    const now = this.#clock.now();
    const onTheirWay = far.#arrivals.filter(({ atMs }) => atMs > now);
    far.#arrivals = far.#arrivals.filter(({ atMs }) => atMs <= now);
    for (const { bytes } of onTheirWay) {
      far.#arrivingBytes -= bytes?.length ?? 0;
      this.#lostBytes += bytes?.length ?? 0;
    }
  }

  /** Whether what this side sends is lost. */
  get loses(): boolean {
    return this.#lostBytes !== undefined;
  }

  /** Whether what it had sent before and what had not arrived yet is lost, too. */
  get losesInFlight(): boolean {
    return this.#losesInFlight;
  }

  /** Whether this side is closed, and nothing can be sent or delivered any more. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Everything that happens to this end happens in a turn at the end of the tick; one per tick. */
  #takeTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnScheduled = false;
    this.#depart();
    this.#deliver();
    this.#report();
  };

  /** Hands what the carrier has room for over to it. */
  #depart(): void {
    const far = this.#far;
    let count = 0;
    let bytes = 0;
    while (count < this.#unsent.length && this.#hasRoom(bytes)) bytes += (this.#unsent[count++] as Sending).length;
    if (count > 0) {
      this.#written += count;
      this.#unsentBytes -= bytes;
      const batch = this.#unsent.splice(0, count);
      if (this.loses || !far.#discards) this.#carry(batch, bytes);
      far.#deliver();
    }
    if (this.#closing !== undefined && this.#unsent.length === 0 && !this.#finished) {
      this.#sayGoodbye();
      this.#finish(this.#closing);
    }
  }

  #hasRoom(bytes: number): boolean {
    if (this.#lostBytes !== undefined) return this.#lostBytes + bytes < CARRIER_LIMIT_BYTES;
    return this.#far.#arrivingBytes + bytes < CARRIER_LIMIT_BYTES || this.#far.#discards;
  }

  /** One copy for the whole batch: the far owner opens in place, and the parts are their owner's again. */
  #carry(batch: readonly Sending[], bytes: number): void {
    const copy = new Uint8Array(bytes);
    let at = 0;
    for (const { parts, length } of batch) {
      const message = copy.subarray(at, at + length);
      for (const part of parts) {
        copy.set(part, at);
        at += part.length;
      }
      this.#options.observe?.(this.local, this.remote, message);
      // Asked now: whoever observes may have cut the line under this very message.
      if (this.#lostBytes === undefined) this.#far.#arrive(this.#arrivalMs(length), message);
      else this.#lostBytes += length;
    }
  }

  #arrivalMs(length: number): number {
    const delayMs = this.#options.delayMs?.(this.local, this.remote, length) ?? 0;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#clock.now() + delayMs);
    return this.#lastArrivalMs;
  }

  /** Lets the far side know of our close: after the messages, or (a refusal) after the silence. */
  #sayGoodbye(): void {
    const refusal = this.#accepted && this.#sends === 0;
    const silenceMs = refusal ? (this.#options.refusalMs ?? 0) : 0;
    if (silenceMs > 0) this.#clock.after(silenceMs, () => this.#end());
    else this.#end();
  }

  #end(): void {
    if (this.loses) return;
    this.#far.#arrive(this.#arrivalMs(0), undefined);
    this.#far.#deliver();
  }

  get #discards(): boolean {
    return this.#closing !== undefined || this.#finished;
  }

  #arrive(atMs: number, bytes: Uint8Array | undefined): void {
    // A closing end still has to get its own messages out, so the end of the other one's is of interest to nobody.
    if (this.#discards) return;
    this.#arrivals.push({ atMs, bytes });
    this.#arrivingBytes += bytes?.length ?? 0;
  }

  #discardArrivals(): void {
    this.#arrivals = [];
    this.#arrivingBytes = 0;
    this.#arrivalTimer?.cancel();
    this.#arrivalTimer = undefined;
    if (this.#far.#unsent.length > 0) this.#far.#takeTurn();
  }

  #deliver(): void {
    const wasFull = this.#arrivingBytes >= CARRIER_LIMIT_BYTES;
    const now = this.#clock.now();
    let count = 0;
    try {
      while (count < this.#arrivals.length) {
        if (this.#handler === undefined || this.#paused || this.#discards) break;
        const { atMs, bytes } = this.#arrivals[count] as Arrival;
        if (atMs > now) {
          this.#awaitArrival(atMs, now);
          break;
        }
        count++;
        this.#arrivingBytes -= bytes?.length ?? 0;
        if (bytes === undefined) this.#finish(new MatryoshkaError('transport.closed', 'the other side closed the connection'));
        else {
          this.#options.delivered?.(this.remote, this.local, bytes);
          this.#handler.message(bytes);
        }
      }
    } finally {
      // A handler that closed or broke the link has emptied the list already.
      if (!this.#discards) this.#arrivals.splice(0, count);
    }
    if (wasFull && this.#arrivingBytes < CARRIER_LIMIT_BYTES) this.#far.#takeTurn();
  }

  #awaitArrival(atMs: number, now: number): void {
    if (this.#arrivalTimer !== undefined || atMs === Number.POSITIVE_INFINITY) return;
    this.#arrivalTimer = this.#clock.after(atMs - now, () => {
      this.#arrivalTimer = undefined;
      this.#deliver();
    });
  }

  /** Tells the owner what became of its sends, and the close last of all. */
  #report(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#closedReported) return;
    if (this.#written > this.#reported) {
      this.#reported = this.#written;
      handler.written(this.#written);
    }
    if (this.#finished) {
      this.#closedReported = true;
      handler.closed(this.#closing as CloseReason);
    } else if (this.#blocked && this.#closing === undefined && this.#unsentBytes < UNSENT_LIMIT_BYTES / 2) {
      this.#blocked = false;
      handler.writable();
    }
  }

  #finish(reason: CloseReason): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#closing ??= reason;
    this.#flushTimer?.cancel();
    this.#unsent = [];
    this.#discardArrivals();
    this.#takeTurn();
    if (this.#far.#finished) this.#options.ended?.();
  }
}

/**
 * Two connected links in memory: the dialled and the accepted one. They behave as TCP does: messages are held until
 * there is an owner, a full carrier stops its sender, and a close lets out what was sent first (as long as it does not stand still for 30 s).
 */
export function memoryLink(options: MemoryLinkOptions): [Link, Link] {
  return MemoryLink.pair(options);
}
