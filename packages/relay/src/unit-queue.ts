import { Queue } from '@matryoshka/session';

/** Before each copied unit: its length and its `more` bit, in bytes. */
const HEADER_LENGTH = 3;
/** Small units share packs of this many bytes at most; a longer unit has its own. */
const MAX_PACK_LENGTH = 8 * 1024;
const MIN_PACK_LENGTH = 256;

/** Copies of units, one behind the other in one piece of memory. */
class Pack {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #readAt = 0;
  #end = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
  }

  /** Copies a unit behind the others; false where there is no room for it. */
  add(unit: Uint8Array, more: boolean): boolean {
    const bytes = this.#bytes;
    const at = this.#end;
    const from = at + HEADER_LENGTH;
    if (from + unit.length > bytes.length) return false;
    const header = unit.length * 2 + (more ? 1 : 0);
    bytes[at] = header >>> 16;
    bytes[at + 1] = header >>> 8;
    bytes[at + 2] = header;
    bytes.set(unit, from);
    this.#end = from + unit.length;
    return true;
  }

  get unit(): Uint8Array {
    const from = this.#readAt + HEADER_LENGTH;
    return this.#bytes.subarray(from, from + (this.#header >>> 1));
  }

  get more(): boolean {
    return (this.#header & 1) === 1;
  }

  /** Lets go of the first unit; true where it was the last one: the memory is free again. */
  shift(): boolean {
    this.#readAt += HEADER_LENGTH + (this.#header >>> 1);
    if (this.#readAt < this.#end) return false;
    this.free();
    return true;
  }

  /** At once: the collector sees memory outside its heap too late. */
  free(): void {
    this.#bytes.buffer.transfer(0);
  }

  get #header(): number {
    const at = this.#readAt;
    const bytes = this.#bytes;
    return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  }
}

/**
 * Units of relay data that wait, first in first out: lent ones as they are, others as copies. Copies are packed, so that
 * many small units take little more memory than their bytes, for which alone there is credit.
 */
export class UnitQueue {
  readonly #entries = new Queue<readonly Uint8Array[] | Pack>();
  readonly #lentMore = new Queue<boolean>();
  #length = 0;
  #keptBytes = 0;
  /** The first unit, where it is in a pack. */
  #packed: readonly Uint8Array[] | undefined;

  /** Units that wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds a unit made of parts that are lent until it is shifted. */
  lend(parts: readonly Uint8Array[], more: boolean): void {
    this.#entries.push(parts);
    this.#lentMore.push(more);
    this.#length++;
  }

  /** Adds a copy of a unit, which has 1 byte or more. */
  keep(unit: Uint8Array, more: boolean): void {
    this.#length++;
    const { last } = this.#entries;
    if (!(last instanceof Pack && last.add(unit, more))) {
      // No longer than what waits already, so that a pack with room in it costs no more than what was credited.
      const shared = Math.min(MAX_PACK_LENGTH, Math.max(MIN_PACK_LENGTH, this.#keptBytes));
      const pack = new Pack(Math.max(HEADER_LENGTH + unit.length, shared));
      pack.add(unit, more);
      this.#entries.push(pack);
    }
    this.#keptBytes += unit.length;
  }

  /** Makes a copy of the only unit there is, which was lent in one part, without its first `from` bytes. */
  keepSole(from: number): void {
    const [unit] = this.#entries.shift() as readonly [Uint8Array];
    this.#length--;
    this.keep(unit.subarray(from), this.#lentMore.shift() as boolean);
  }

  /** The parts of the first unit, still in the queue. */
  peek(): readonly Uint8Array[] | undefined {
    const entry = this.#entries.peek();
    return entry instanceof Pack ? (this.#packed ??= [entry.unit]) : entry;
  }

  /** Whether its message goes on in the next unit. */
  get more(): boolean {
    const entry = this.#entries.peek();
    return entry instanceof Pack ? entry.more : this.#lentMore.peek() === true;
  }

  /** Lets go of the first unit. */
  shift(): void {
    const entry = this.#entries.peek();
    if (entry === undefined) return;
    this.#length--;
    if (entry instanceof Pack) {
      this.#keptBytes -= (this.peek() as readonly [Uint8Array])[0].length;
      this.#packed = undefined;
      if (!entry.shift()) return;
    } else {
      this.#lentMore.shift();
    }
    this.#entries.shift();
  }

  clear(): void {
    for (const entry of this.#entries) if (entry instanceof Pack) entry.free();
    this.#entries.clear();
    this.#lentMore.clear();
    this.#length = 0;
    this.#keptBytes = 0;
    this.#packed = undefined;
  }
}
