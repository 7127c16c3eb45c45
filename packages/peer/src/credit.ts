import { MatryoshkaError } from '@matryoshka/wire';

/**
 * Credit this side grants, in bytes: what may come is `granted` in all, and it is granted again as bytes are consumed
 * (principle 4). Streams and relay links have one for what they receive.
 */
export class ReceiveWindow {
  /** Bytes that may be on their way at once. */
  readonly size: number;
  readonly #announceAt: number;
  #granted: number;
  #received = 0;
  #consumed = 0;

  /**
   * @param granted - credit the other side has already
   * @param announceAfter - bytes of the window that are used up before it is announced again
   */
  constructor(size: number, granted: number, announceAfter: number = size / 2) {
    this.size = size;
    this.#granted = granted;
    this.#announceAt = size - announceAfter;
  }

  /** What may come in all, as it was told last. */
  get granted(): number {
    return this.#granted;
  }

  /** Bytes consumed so far. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Bytes that have come and are not consumed yet. */
  get pending(): number {
    return this.#received - this.#consumed;
  }

  /** @throws MatryoshkaError `session.credit-exceeded` */
  receive(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#granted)
      throw new MatryoshkaError('session.credit-exceeded', `${this.#received} bytes came, ${this.#granted} were granted`);
  }

  /**
   * Counts consumed bytes. Returns the new total to announce once so much of the window is used up that it is worth a
   * message, and before the sender runs dry; otherwise undefined.
   */
  consume(bytes: number): number | undefined {
    this.#consumed += bytes;
    return this.#granted - this.#consumed <= this.#announceAt ? this.announce() : undefined;
  }

  /** The newest total: the whole window beyond what is consumed. It never goes back. */
  announce(): number {
    this.#granted = Math.max(this.#granted, this.#consumed + this.size);
    return this.#granted;
  }
}

/** Credit the other side has granted, in bytes. */
export class SendCredit {
  #total: number;
  /** What the other side grants before it has consumed anything: the first it says, and at least what there was before. */
  #first: number | undefined;
  #used = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Bytes sent so far. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that may be sent now. */
  get available(): number {
    return this.#total - this.#used;
  }

  /** What was granted beyond the first grant: at least so much is consumed. */
  get raisedBy(): number {
    return this.#first === undefined ? 0 : this.#total - this.#first;
  }

  /** Absolute and monotonic: returns whether this is news. */
  raise(total: number): boolean {
    this.#first ??= Math.max(this.#total, total);
    if (total <= this.#total) return false;
    this.#total = total;
    return true;
  }

  /** Counts bytes as sent; the caller has looked at `available`. */
  use(bytes: number): void {
    this.#used += bytes;
  }
}
