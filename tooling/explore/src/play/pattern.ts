import { randomBytes } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';

/** A prime, so that no power of two of bytes lost or repeated falls on the same bytes again. */
const LENGTH = 262_139;

const bytes = randomBytes(seededRandom(0x7061_7474), LENGTH);

/** An endless sequence of bytes that are known beforehand; sequences of other numbers begin elsewhere. */
export class Pattern {
  #at: number;
  #position = 0;

  constructor(number: number) {
    this.#at = (number * 7919) % LENGTH;
  }

  /** Bytes taken or matched so far. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, `length` at most and one at least: a view. */
  take(length: number): Uint8Array {
    const view = bytes.subarray(this.#at, this.#at + length);
    this.#advance(view.length);
    return view;
  }

  /** Whether `got` are the next bytes; it goes on behind them. */
  matches(got: Uint8Array): boolean {
    let same = true;
    for (let at = 0; at < got.length;) {
      const expected = this.take(got.length - at);
      same &&= Buffer.compare(expected, got.subarray(at, at + expected.length)) === 0;
      at += expected.length;
    }
    return same;
  }

  #advance(length: number): void {
    this.#at = (this.#at + length) % LENGTH;
    this.#position += length;
  }
}
