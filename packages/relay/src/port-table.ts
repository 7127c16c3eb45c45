/** A relay port as two 32-bit halves: how the data path holds it, without a bigint per message. */
export interface PortHalves {
  readonly high: number;
  readonly low: number;
}

export function portHalves(port: bigint): PortHalves {
  return { high: Number(port >> 32n), low: Number(port & 0xffff_ffffn) };
}

interface Entry<T> {
  readonly high: number;
  readonly value: T;
  readonly next: Entry<T> | undefined;
}

/** What belongs to each relay port of one session (R6). Looking one up allocates nothing. */
export class PortTable<T> {
  readonly #byLow = new Map<number, Entry<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(high: number, low: number): T | undefined {
    let entry = this.#byLow.get(low);
    while (entry !== undefined && entry.high !== high) entry = entry.next;
    return entry?.value;
  }

  has(port: bigint): boolean {
    const { high, low } = portHalves(port);
    return this.get(high, low) !== undefined;
  }

  /** Replaces what the port had. */
  set(port: bigint, value: T): void {
    const { high, low } = portHalves(port);
    const others = this.#without(high, low);
    this.#byLow.set(low, { high, value, next: others });
    this.#size++;
  }

  delete(port: bigint): void {
    const { high, low } = portHalves(port);
    const others = this.#without(high, low);
    if (others === undefined) this.#byLow.delete(low);
    else this.#byLow.set(low, others);
  }

  *values(): Generator<T> {
    for (let entry of this.#byLow.values()) {
      for (;;) {
        yield entry.value;
        if (entry.next === undefined) break;
        entry = entry.next;
      }
    }
  }

  /** The entries of this low half other than the port's own, which is no longer counted. */
  #without(high: number, low: number): Entry<T> | undefined {
    let others: Entry<T> | undefined;
    for (let entry = this.#byLow.get(low); entry !== undefined; entry = entry.next) {
      if (entry.high === high) this.#size--;
      else others = { high: entry.high, value: entry.value, next: others };
    }
    return others;
  }
}
