import { type State, finish, mixBlock } from './crypto/mixing.ts';

const BLOCK_LENGTH = 16;
/** More of them say nothing new. */
const MAX_VIOLATIONS = 100;

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
 * belong to one session. Blocks are counted from the beginning of a message.
 */
export class BlockWatch {
  readonly #now: () => number;
  /** The first sighting of each block, by 53 bits of its hash. */
  readonly #seen = new Map<number, Sighting>();
  readonly #violations: string[] = [];

  /** @param now - virtual time in milliseconds, for the report */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** Different blocks so far. */
  get blocks(): number {
    return this.#seen.size;
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
      const before = this.#seen.get(key);
      if (before === undefined) this.#seen.set(key, { place, atMs: this.#now(), offset });
      else if (before.place !== place && this.#violations.length < MAX_VIOLATIONS) {
        this.#violations.push(
          `a block was seen twice: on ${before.place} at ${before.atMs} ms (byte ${before.offset} of its message), then on ${place} at ` +
            `${this.#now()} ms (byte ${offset})`,
        );
      }
    }
  }
}

/** 53 bits that every bit of the block decides over. */
function blockKey(view: DataView, at: number): number {
  for (let i = 0; i < 4; i++) state[i] = 0;
  mixBlock(state, view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
  finish(state, BLOCK_LENGTH);
  return (state[0] >>> 0) * 2 ** 21 + (state[1] >>> 11);
}
