import type { DhKeyPair, KemKeyPair } from './crypto.ts';
import type { KeyPairSource } from './key-pair-source.ts';

/** Pairs of each kind that are kept ready. */
export const KEY_PAIR_RESERVE_SIZE = 8;

/** One kind of key pairs, oldest first. */
class Stock<T extends { wipe(): void }> {
  readonly #make: () => T;
  readonly #size: number;
  #ready: T[] = [];
  #wanted = false;

  constructor(size: number, make: () => T) {
    this.#size = size;
    this.#make = make;
  }

  /** Pairs to be made; none of a kind that nobody has asked for. */
  get missing(): number {
    return this.#wanted ? this.#size - this.#ready.length : 0;
  }

  take(): T {
    this.#wanted = true;
    return this.#ready.shift() ?? this.#make();
  }

  add(): void {
    this.#ready.push(this.#make());
  }

  wipe(): void {
    for (const pair of this.#ready) pair.wipe();
    this.#ready = [];
    this.#wanted = false;
  }
}

/**
 * Key pairs that are made ahead of the handshakes that use them, each for one. It makes none by itself: `refill` is called
 * when there is time for it. Until a kind was asked for once nothing of it is kept, so that who only answers, or does
 * nothing, has no keys lying about.
 */
export class KeyPairReserve implements KeyPairSource {
  readonly #dh: Stock<DhKeyPair>;
  readonly #kem: Stock<KemKeyPair>;

  /** @param source - makes them. @param size - pairs of each kind. @throws RangeError for a size that is no positive integer */
  constructor(source: KeyPairSource, size: number = KEY_PAIR_RESERVE_SIZE) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`a reserve has a size of 1 or more, not ${size}`);
    this.#dh = new Stock(size, () => source.dhKeyPair());
    this.#kem = new Stock(size, () => source.kemKeyPair());
  }

  /** One made ahead, or made now where there is none. */
  dhKeyPair(): DhKeyPair {
    return this.#dh.take();
  }

  /** One made ahead, or made now where there is none. */
  kemKeyPair(): KemKeyPair {
    return this.#kem.take();
  }

  /** Pairs that `refill` would make. */
  get missing(): number {
    return this.#dh.missing + this.#kem.missing;
  }

  /** Makes one pair, of the kind that misses more, where one is missing. */
  refill(): void {
    if (this.missing === 0) return;
    if (this.#kem.missing >= this.#dh.missing) this.#kem.add();
    else this.#dh.add();
  }

  /** Overwrites all that are kept, which nobody has had. It can go on being used, as if it were new. */
  wipe(): void {
    this.#dh.wipe();
    this.#kem.wipe();
  }
}
