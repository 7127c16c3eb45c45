import { STREAM_HIGH_WATER_BYTES, type Stream, type StreamHandler } from '@matryoshka/peer';
import { type Random, randomBelow } from '@matryoshka/session';
import { randomReal } from '@matryoshka/simulation';
import type { Clock } from '@matryoshka/transport';
import type { MatryoshkaError } from '@matryoshka/node';
import type { Pattern } from './pattern.ts';
import type { SidePlan } from './plan.ts';

/** What one side of a transfer needs to know. */
export interface SideParts {
  /** For people. */
  readonly name: string;
  readonly plan: SidePlan;
  readonly sends: Pattern;
  readonly receives: Pattern;
  /** Bytes that the other side sends. */
  readonly expected: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (violation: string) => void;
  /** The stream failed; by default that is a violation. */
  readonly failed?: (error: MatryoshkaError) => void;
}

/** One end of a stream: sends its bytes as planned, and checks those that come. */
export class TransferSide implements StreamHandler {
  /** Resolves when the stream is closed, for whatever reason. */
  readonly closedOnce: Promise<void>;
  readonly #parts: SideParts;
  #stream: Stream | undefined;
  #left: number;
  #sound = true;
  #ended = false;
  #paused = 0;
  #resolveClosed!: () => void;

  constructor(parts: SideParts) {
    this.#parts = parts;
    this.#left = parts.plan.length;
    this.closedOnce = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** What is left to be done, for people. */
  get state(): string {
    const { name, plan, expected, receives } = this.#parts;
    return `${name}: ${this.#left} of ${plan.length} bytes to write, ${expected - receives.position} of ${expected} to come`;
  }

  start(stream: Stream): void {
    this.#stream = stream;
    stream.attach(this);
    this.#pump();
  }

  data(bytes: Uint8Array): void {
    const { receives, expected, plan, clock, random } = this.#parts;
    const before = receives.position;
    if (this.#sound && !receives.matches(bytes)) this.#unsound(`a byte from ${before} on, of ${bytes.length}, is not what was sent`);
    if (this.#sound && receives.position > expected) this.#unsound(`more came than the ${expected} bytes that were sent`);
    if (this.#sound && this.#ended) this.#unsound('bytes came after the end');
    if (!this.#pauses(plan.stopChance)) return;
    this.#stream?.pause();
    clock.after(randomBelow(random, plan.maxPauseMs + 1), () => this.#stream?.resume());
  }

  end(): void {
    const { receives, expected } = this.#parts;
    if (this.#ended) this.#unsound('the end came twice');
    if (receives.position !== expected) this.#unsound(`the end came after ${receives.position} of ${expected} bytes`);
    this.#ended = true;
  }

  writable(): void {
    this.#pump();
  }

  closed(error: MatryoshkaError | undefined): void {
    const { name, report, failed = (): void => report(`${name}: failed with ${error?.code}: ${error?.message}`) } = this.#parts;
    if (error !== undefined) failed(error);
    else if (!this.#ended) this.#unsound('closed before the end came');
    this.#resolveClosed();
  }

  #pump(): void {
    const stream = this.#stream;
    const { plan, sends, clock, random } = this.#parts;
    if (stream === undefined || stream.closed) return;
    while (this.#left > 0) {
      const chunk = sends.take(Math.min(this.#left, 1 + randomBelow(random, plan.maxChunk)));
      this.#left -= chunk.length;
      let goOn: boolean;
      try {
        goOn = stream.write(chunk);
      } catch {
        // The session is over, and `closed` says why as soon as all that had come before was read.
        return;
      }
      if (stream.pendingBytes >= STREAM_HIGH_WATER_BYTES + plan.maxChunk) this.#unsound(`${stream.pendingBytes} bytes wait`);
      if (!goOn) return;
      if (this.#pauses(plan.pauseChance)) {
        clock.after(randomBelow(random, plan.maxPauseMs + 1), () => this.#pump());
        return;
      }
    }
    stream.end();
  }

  /** Whether this is the moment for one of its pauses. */
  #pauses(chance: number): boolean {
    const { plan, random } = this.#parts;
    if (chance === 0 || this.#paused === plan.maxPauses || randomReal(random) >= chance) return false;
    this.#paused++;
    return true;
  }

  /** One violation is enough: what follows is the same one. */
  #unsound(what: string): void {
    if (!this.#sound) return;
    this.#sound = false;
    this.#parts.report(`${this.#parts.name}: ${what}`);
  }
}
