import { type State, finish, mixBlock } from './crypto/mixing.ts';

const BLOCK_LENGTH = 16;
/** More of them say nothing new. */
const MAX_VIOLATIONS = 100;
/** Blocks of 32 MiB. Whoever passes a block on does it sooner than so much goes over all links. */
const REMEMBERED = 2 ** 21;

// One block at a time is hashed here.
const state: State = [0, 0, 0, 0];

/** Where a block was seen. */
interface Sighting {
  readonly place: string | number;
  readonly atMs: number;
  readonly offset: number;
}

/**
 * Remembers every 16-byte block that went over the links of a world and finds those that went over two. Records are
 * sealed anew for each link, so no block of one may ever be seen on another: whoever sees both could tell that they
 * belong to one session. Blocks are counted from the beginning of a message. The latest ones are remembered, however long
 * a world lasts.
 */
export class BlockWatch {
  readonly #now: () => number;
  readonly #remembered: number;
  /** The first sighting of each block, by 53 bits of its hash. */
  #seen = new Map<number, Sighting>();
  /** Those before, as many: the oldest ones are forgotten together. */
  #seenBefore: ReadonlyMap<number, Sighting> = new Map();
  #blocks = 0;
  readonly #violations: string[] = [];

  /**
   * @param now - virtual time in milliseconds, for the report
   * @param remembered - how many of the latest blocks are remembered at least; up to twice as many are
   */
  constructor(now: () => number = () => 0, remembered: number = REMEMBERED) {
    this.#now = now;
    this.#remembered = remembered;
  }

  /** Different blocks so far; one that was forgotten meanwhile counts again. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Each names both places; 100 at most. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Takes in a message at a place, such as the number of a link: within one place blocks may repeat. */
  note(place: string | number, message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    for (let offset = 0; offset + BLOCK_LENGTH <= message.length; offset += BLOCK_LENGTH) {
      const key = blockKey(view, offset);
      const before = this.#seen.get(key) ?? this.#seenBefore.get(key);
      if (before === undefined) this.#remember(key, { place, atMs: this.#now(), offset });
      else if (before.place !== place && this.#violations.length < MAX_VIOLATIONS) {
        this.#violations.push(
          `a block was seen twice: on ${before.place} at ${before.atMs} ms (byte ${before.offset} of its message), then on ${place} at ` +
            `${this.#now()} ms (byte ${offset})`,
        );
      }
    }
  }

  #remember(key: number, sighting: Sighting): void {
    if (this.#seen.size === this.#remembered) {
      this.#seenBefore = this.#seen;
      this.#seen = new Map();
    }
    this.#seen.set(key, sighting);
    this.#blocks++;
  }
}

/** 53 bits that every bit of the block decides over. */
function blockKey(view: DataView, at: number): number {
  for (let i = 0; i < 4; i++) state[i] = 0;
  mixBlock(state, view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
  finish(state, BLOCK_LENGTH);
  return (state[0] >>> 0) * 2 ** 21 + (state[1] >>> 11);
}
