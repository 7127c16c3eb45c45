import type { Random } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import { randomBelow } from '@matryoshka/session';
import type { Outbox } from '../outbox.ts';
import { CoverClock } from './cover-clock.ts';
import { paddedLength } from './padding.ts';
import { type Padding, TRAFFIC_PRESETS, type TrafficSettings } from './traffic-settings.ts';

/** Cover at random times has a drawn number of bytes up to this one, then it is padded as anything else. */
const MAX_COVER_LENGTH = 1024;

/** What the traffic of a session is shaped with. */
export interface TrafficParts {
  readonly clock: Clock;
  readonly random: Random;
  /** What holds for sessions that were told nothing else. */
  readonly traffic?: TrafficSettings | undefined;
}

/** How a session's records look from outside: their lengths, and when they go out. What it is told holds from the next record on. */
export class SessionTraffic {
  readonly #parts: TrafficParts;
  readonly #outbox: Outbox;
  readonly #cover: CoverClock;
  #own: TrafficSettings | undefined;
  /** Length of records that the other side has asked for; 0: it has not. */
  #asked: number;
  /** What this side asked for last. */
  #askedFor: number;
  #padding: Padding = { kind: 'none' };
  #paddingBytesSent = 0;

  /**
   * @param own - of this session alone
   * @param asked - record length that the other side asked for when it opened the session
   * @param opened - whether this side has asked already, as it opened the session
   */
  constructor(parts: TrafficParts, outbox: Outbox, own: TrafficSettings | undefined, asked: number, opened: boolean) {
    this.#parts = parts;
    this.#outbox = outbox;
    this.#own = own;
    this.#asked = asked;
    this.#cover = new CoverClock(parts.clock, parts.random, {
      cover: () => outbox.cover(this.#padding.kind === 'constant' ? 0 : randomBelow(parts.random, MAX_COVER_LENGTH + 1)),
      slots: (count) => outbox.slots(count),
    });
    this.#askedFor = opened ? recordLengthOf(this.settings) : 0;
  }

  /** What the padding of all records has cost so far, in bytes, that of cover included. */
  get paddingBytesSent(): number {
    return this.#paddingBytesSent;
  }

  /** What cover has cost so far, in bytes: all of its records. */
  get coverBytesSent(): number {
    return this.#outbox.coverBytesSent;
  }

  /** What holds for this session. */
  get settings(): TrafficSettings {
    return this.#own ?? this.#parts.traffic ?? TRAFFIC_PRESETS.plain;
  }

  /** Length of all records of this side, on its own account or since it was asked for; 0: they have several. */
  get recordLength(): number {
    return recordLengthOf(this.settings) || this.#asked;
  }

  /** Record length that this side has asked for; 0: none. */
  get askedFor(): number {
    return this.#askedFor;
  }

  /** Length that a record of `length` bytes of plaintext is padded to. */
  paddedLength(length: number): number {
    const padded = paddedLength(this.#padding, length, this.#parts.random);
    this.#paddingBytesSent += padded - length;
    return padded;
  }

  /** Other settings for this session alone; undefined: those that hold for all. */
  update(own: TrafficSettings | undefined): void {
    this.#own = own;
    this.apply();
  }

  /** The other side asks for records of one length; 0: for any. */
  asked(recordLength: number): void {
    this.#asked = recordLength;
    this.apply();
  }

  /** The settings hold from here on, and the other side hears what is asked of it. */
  apply(): void {
    const { cover, padding } = this.settings;
    const { recordLength } = this;
    this.#padding = recordLength > 0 ? { kind: 'constant', recordLength } : padding;
    this.#outbox.shape({
      padding: this.#padding.kind === 'none' ? undefined : this,
      recordLength,
      paced: cover.kind === 'constant-rate',
    });
    this.#cover.set(cover);
    const askFor = recordLengthOf(this.settings);
    if (askFor === this.#askedFor) return;
    this.#askedFor = askFor;
    this.#outbox.control({ type: 'shape', recordLength: askFor });
  }

  /** There is a link. */
  start(): void {
    this.#cover.start();
  }

  /** There is none, or nothing gets through. */
  stop(): void {
    this.#cover.stop();
  }
}

/** The record length that these settings ask for; 0: none. */
export function recordLengthOf({ padding }: TrafficSettings): number {
  return padding.kind === 'constant' ? padding.recordLength : 0;
}
