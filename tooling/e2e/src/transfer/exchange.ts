import { type Hash, createHash } from 'node:crypto';
import type { MatryoshkaError, Stream, StreamHandler } from '@matryoshka/node';
import { type Random, randomBelow } from '@matryoshka/session';
import { randomReal, seededRandom } from '@matryoshka/simulation';
import { Content } from './content.ts';

/** Writes have from 1 to 2 to the power of this many bytes, small ones as often as large ones. */
const MAX_WRITE_BITS = 17;
const MAX_PAUSE_MS = 4;

/** What goes one way over a stream. */
export interface Flow {
  /** Names the bytes; see {@link Content}. */
  readonly content: string;
  readonly bytes: number;
}

/** One end of a stream, from its own view. Goes through JSON. */
export interface SidePlan {
  readonly sends: Flow;
  readonly receives: Flow;
  readonly seed: number;
  /** How likely it pauses after a write, or after bytes that came; 0: never. */
  readonly pauseChance: number;
}

/** What became of one end of a stream. Goes through JSON. */
export interface Outcome {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Of all bytes written, and of all that came; in hex. */
  readonly sentSha256: string;
  readonly receivedSha256: string;
  /** Longest time between two pieces that came. */
  readonly longestPauseMs: number;
  /** For people; none where all is well. */
  readonly faults: readonly string[];
}

/** One end of a stream: sends its bytes, checks those that come, and hashes both. */
export class Exchange implements StreamHandler {
  /** Resolves when the stream is closed, for whatever reason. */
  readonly done: Promise<Outcome>;
  readonly #plan: SidePlan;
  readonly #random: Random;
  readonly #sends: Content;
  readonly #receives: Content;
  readonly #sent: Hash = createHash('sha256');
  readonly #received: Hash = createHash('sha256');
  readonly #faults: string[] = [];
  readonly #resolve: (outcome: Outcome) => void;
  #stream: Stream | undefined;
  #sound = true;
  #ended = false;
  #lastDataAtMs: number | undefined;
  #longestPauseMs = 0;

  constructor(plan: SidePlan) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
    this.#sends = new Content(plan.sends.content);
    this.#receives = new Content(plan.receives.content);
    ({ promise: this.done, resolve: this.#resolve } = Promise.withResolvers<Outcome>());
  }

  get receivedBytes(): number {
    return this.#receives.position;
  }

  /** Longest time between two pieces that came so far. */
  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }

  /** How it gets on, for people. */
  get text(): string {
    const { sends, receives } = this.#plan;
    const waiting = this.#stream === undefined ? 'no stream yet' : `${this.#stream.pendingBytes} waiting`;
    return `written ${this.#sends.position} of ${sends.bytes} (${waiting}), received ${this.#receives.position} of ${receives.bytes}`;
  }

  start(stream: Stream): void {
    this.#stream = stream;
    stream.attach(this);
    this.#pump();
  }

  /** There is not going to be a stream. */
  fail(error: unknown): void {
    this.#fault(`there is no stream: ${error instanceof Error ? error.message : String(error)}`);
    this.#finish();
  }

  data(bytes: Uint8Array): void {
    const now = performance.now();
    if (this.#lastDataAtMs !== undefined) this.#longestPauseMs = Math.max(this.#longestPauseMs, now - this.#lastDataAtMs);
    this.#lastDataAtMs = now;
    const before = this.#receives.position;
    const wrongAt = this.#receives.mismatch(bytes);
    this.#received.update(bytes);
    if (wrongAt !== undefined) this.#fault(`byte ${before + wrongAt} is not what was sent`);
    if (this.#receives.position > this.#plan.receives.bytes) this.#fault(`more came than the ${this.#plan.receives.bytes} bytes there are`);
    if (this.#ended) this.#fault('bytes came after the end');
    if (!this.#pauses()) return;
    this.#stream?.pause();
    setTimeout(() => this.#stream?.resume(), this.#pauseMs());
  }

  end(): void {
    if (this.#ended) this.#fault('the end came twice');
    if (this.#receives.position !== this.#plan.receives.bytes)
      this.#fault(`the end came after ${this.#receives.position} of ${this.#plan.receives.bytes} bytes`);
    this.#ended = true;
  }

  writable(): void {
    this.#pump();
  }

  closed(error: MatryoshkaError | undefined): void {
    if (error !== undefined) this.#fault(`the stream failed with ${error.code}: ${error.message}`);
    else if (!this.#ended) this.#fault('the stream was closed before the end came');
    this.#finish();
  }

  #pump(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    for (let left = this.#plan.sends.bytes - this.#sends.position; left > 0; left = this.#plan.sends.bytes - this.#sends.position) {
      const length = Math.max(1, Math.floor(2 ** (randomReal(this.#random) * MAX_WRITE_BITS)));
      const bytes = this.#sends.take(Math.min(left, length));
      this.#sent.update(bytes);
      if (!stream.write(bytes)) return;
      if (!this.#pauses()) continue;
      setTimeout(() => this.#pump(), this.#pauseMs());
      return;
    }
    stream.end();
  }

  #pauses(): boolean {
    const { pauseChance } = this.#plan;
    return pauseChance > 0 && randomReal(this.#random) < pauseChance;
  }

  #pauseMs(): number {
    return randomBelow(this.#random, MAX_PAUSE_MS + 1);
  }

  /** One is enough: what follows is the same one. */
  #fault(what: string): void {
    if (this.#sound) this.#faults.push(what);
    this.#sound = false;
  }

  #finish(): void {
    this.#resolve({
      sentBytes: this.#sends.position,
      receivedBytes: this.#receives.position,
      sentSha256: this.#sent.digest('hex'),
      receivedSha256: this.#received.digest('hex'),
      longestPauseMs: this.#longestPauseMs,
      faults: this.#faults,
    });
  }
}
