/** One that was entered into a table. */
export interface Place {
  /** It needs its place no longer. Idempotent. */
  leave(): void;
}

interface Entry extends Place {
  readonly evict: () => void;
}

/**
 * A bounded table of those who are not known yet. When it is full, the oldest entry of the source that has the most has
 * to go: whoever fills it pushes out itself, and never keeps others out. All is done in constant time.
 */
export class FairTable {
  readonly #limit: () => number;
  readonly #evicted: () => void;
  readonly #sources = new Map<string, Set<Entry>>();
  /** Sources by the number of their entries; each set in the order in which they came to that number. */
  readonly #byCount = new Map<number, Set<string>>();
  #most = 0;
  #size = 0;

  /** @param limit - most entries, 1 or more; asked at each one */
  constructor(limit: () => number, evicted: () => void = () => {}) {
    this.#limit = limit;
    this.#evicted = evicted;
  }

  /** Entries in it. */
  get size(): number {
    return this.#size;
  }

  /** Entries of a source. */
  count(source: string): number {
    return this.#sources.get(source)?.size ?? 0;
  }

  /**
   * Enters one more, and pushes another one out where there is no room.
   * @param evict - called where it has to go, at most once; its place is free already
   */
  enter(source: string, evict: () => void): Place {
    while (this.#size >= this.#limit() && this.#size > 0) this.#evictOne();
    const entries = this.#sources.get(source) ?? new Set<Entry>();
    const entry: Entry = { evict, leave: () => this.#remove(source, entries, entry) };
    this.#sources.set(source, entries);
    entries.add(entry);
    this.#size++;
    this.#recount(source, entries.size - 1, entries.size);
    return entry;
  }

  #evictOne(): void {
    const [source] = this.#byCount.get(this.#most) as Set<string>;
    const entries = this.#sources.get(source as string) as Set<Entry>;
    const [oldest] = entries as Iterable<Entry> as [Entry];
    oldest.leave();
    this.#evicted();
    oldest.evict();
  }

  #remove(source: string, entries: Set<Entry>, entry: Entry): void {
    if (!entries.delete(entry)) return;
    this.#size--;
    if (entries.size === 0) this.#sources.delete(source);
    this.#recount(source, entries.size + 1, entries.size);
  }

  /** The source has another number of entries now: one more or one less. */
  #recount(source: string, before: number, now: number): void {
    const left = this.#byCount.get(before);
    left?.delete(source);
    if (left?.size === 0) this.#byCount.delete(before);
    if (now > 0) {
      const joined = this.#byCount.get(now);
      if (joined === undefined) this.#byCount.set(now, new Set([source]));
      else joined.add(source);
    }
    if (now > this.#most || !this.#byCount.has(this.#most)) this.#most = now;
  }
}
