import type { Account } from './account.ts';
import type { Entry, Task } from './agenda.ts';
import { ByteBucket } from './byte-limits.ts';
import type { RelayLimiter } from './relay-limits.ts';

/** Holds a sender back, and loses nothing: it waits until what it pays for may go out. */
export interface Gate {
  /** Whether there is any rate; nobody has to pay otherwise. */
  readonly limited: boolean;
  /** Pays for so many bytes; returns the milliseconds until they may go out, 0 for now. */
  pay(bytes: number): number;
  /** Gives back what was paid for and did not go out. */
  refund(bytes: number): void;
  /** Wakes `sender` in so many milliseconds. */
  wake(ms: number, sender: Task): Entry;
  /** `sender` does not wait any more. */
  forget(entry: Entry): void;
}

/** What one link that is forwarded uses of the limits it has itself, and shares with others (R16). */
export class LinkMeter implements Gate {
  readonly #limiter: RelayLimiter;
  readonly #account: Account;
  #bucket: ByteBucket | undefined;
  #bytes = 0;
  #age: Entry | undefined;
  #openedAtMs: number | undefined;
  #closed = false;

  constructor(limiter: RelayLimiter, account: Account) {
    this.#limiter = limiter;
    this.#account = account;
    limiter.count(account, 1);
  }

  /** The link is open: its age counts from now on, and `tooOld` comes once it is over. */
  opened(tooOld: Task): void {
    this.#openedAtMs ??= this.#limiter.clock.now();
    const { ages, told } = this.#limiter;
    if (this.#age !== undefined) ages.remove(this.#age);
    const agedMs = this.#limiter.clock.now() - this.#openedAtMs;
    this.#age = told.maxAgeMs === 0 || this.#closed ? undefined : ages.add(Math.max(0, told.maxAgeMs - agedMs), tooOld);
  }

  /** The link is over. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#age !== undefined) this.#limiter.ages.remove(this.#age);
    this.#limiter.count(this.#account, -1);
  }

  /** Bytes have come to be passed on; false where they are more than may be. */
  take(bytes: number): boolean {
    this.#bytes += bytes;
    const { link, node, peer, periodMs } = this.#limiter.settings;
    if (link.maxBytes > 0 && this.#bytes > link.maxBytes) return false;
    if (peer.maxBytes === 0 && node.maxBytes === 0) return true;
    const nowMs = this.#limiter.clock.now();
    if (peer.maxBytes > 0 && !this.#account.quota.take(bytes, peer.maxBytes, periodMs, nowMs)) return false;
    return node.maxBytes === 0 || this.#limiter.quota.take(bytes, node.maxBytes, periodMs, nowMs);
  }

  // ---- Gate --------------------------------------------------------------------------------------------------------

  get limited(): boolean {
    return this.#limiter.told.bytesPerSecond > 0;
  }

  pay(bytes: number): number {
    const { link, node, peer } = this.#limiter.settings;
    const nowMs = this.#limiter.clock.now();
    let waitMs = 0;
    if (link.bytesPerSecond > 0) {
      this.#bucket ??= new ByteBucket();
      waitMs = this.#bucket.pay(bytes, link.bytesPerSecond, nowMs);
    }
    if (peer.bytesPerSecond > 0) waitMs = Math.max(waitMs, this.#account.bucket.pay(bytes, peer.bytesPerSecond, nowMs));
    if (node.bytesPerSecond > 0) waitMs = Math.max(waitMs, this.#limiter.bucket.pay(bytes, node.bytesPerSecond, nowMs));
    return waitMs;
  }

  refund(bytes: number): void {
    this.#bucket?.refund(bytes);
    this.#account.bucket.refund(bytes);
    this.#limiter.bucket.refund(bytes);
  }

  wake(ms: number, sender: Task): Entry {
    return this.#limiter.waiting.add(ms, sender);
  }

  forget(entry: Entry): void {
    this.#limiter.waiting.remove(entry);
  }
}
