/** Length of a slab, in bytes: four largest records fit. */
export const SLAB_LENGTH: number = 256 * 1024;

/**
 * A long-lived buffer that sealed records are packed into, one behind the other. It goes back to its pool when nobody
 * holds a part of it any more.
 */
export class Slab {
  /** The buffer, of one size for all. */
  readonly bytes: Uint8Array = new Uint8Array(SLAB_LENGTH);
  /** Bytes taken from the front. */
  used = 0;
  /** Records in it that wait for their acknowledgement. */
  retained = 0;
  #holders = 0;
  readonly #pool: SlabPool;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Whether only one holder is left: a writer that is alone may start again at the front. */
  get sole(): boolean {
    return this.#holders === 1;
  }

  /** One more holder. */
  hold(): void {
    this.#holders++;
  }

  /** One holder less; the last one gives the slab back. */
  release(): void {
    if (--this.#holders === 0) {
      this.used = 0;
      this.#pool.give(this);
    }
  }
}

/** Slabs for all sessions of a node; it keeps a few idle ones so that steady traffic allocates nothing. */
export class SlabPool {
  readonly #idle: Slab[] = [];
  readonly #maxIdle: number;

  /** @param maxIdleBytes - memory kept for later, 8 MiB by default */
  constructor(maxIdleBytes: number = 8 * 1024 * 1024) {
    this.#maxIdle = Math.floor(maxIdleBytes / SLAB_LENGTH);
  }

  /** A slab that the caller holds, with nothing taken. */
  take(): Slab {
    const slab = this.#idle.pop() ?? new Slab(this);
    slab.hold();
    return slab;
  }

  /** Called by a slab nobody holds. */
  give(slab: Slab): void {
    if (this.#idle.length < this.#maxIdle) this.#idle.push(slab);
  }
}
