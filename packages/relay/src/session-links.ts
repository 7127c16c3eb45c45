import { MatryoshkaError } from '@matryoshka/wire';
import type { LinkEnd } from './link-end.ts';
import { PortTable } from './port-table.ts';

/** Ports that may rest on one session at once; above it the oldest ones are forgotten (docs/protocol.md §11). */
export const MAX_RESTING_PORTS = 16_384;
/** Unknown ports that the other side may use within one grace period. */
export const MAX_STRAY_PORTS = 1024;

/** The relay links of one session, by port, and the ports that rest after a close. */
export class SessionLinks {
  readonly #ends = new PortTable<LinkEnd>();
  readonly #resting: ExpiringPorts = new ExpiringPorts();
  readonly #strays: ExpiringPorts = new ExpiringPorts();

  /** Links that are not over. */
  get size(): number {
    return this.#ends.size;
  }

  /** Hot: allocates nothing. */
  end(high: number, low: number): LinkEnd | undefined {
    return this.#ends.get(high, low);
  }

  ends(): LinkEnd[] {
    return [...this.#ends.values()];
  }

  /** Whether the port cannot be used for a new link (R6, R14). */
  taken(port: bigint, nowMs: number): boolean {
    return this.#ends.has(port) || this.#resting.has(port, nowMs) || this.#strays.has(port, nowMs);
  }

  add(port: bigint, end: LinkEnd): void {
    this.#ends.set(port, end);
  }

  /** The link is over: late messages are let go until `untilMs`. */
  rest(port: bigint, nowMs: number, untilMs: number): void {
    this.#ends.delete(port);
    this.#resting.add(port, nowMs, untilMs);
    // What was forgotten too early costs the other side one message and one answer.
    if (this.#resting.size > MAX_RESTING_PORTS) this.#resting.forgetOldest();
  }

  /**
   * A message came for a port without a link. Returns whether the other side has to hear of it: once per port, and not
   * about one that rests.
   * @throws MatryoshkaError `relay.unknown-port` for too many of them
   */
  stray(port: bigint, nowMs: number, untilMs: number): boolean {
    if (this.taken(port, nowMs)) return false;
    this.#strays.add(port, nowMs, untilMs);
    if (this.#strays.size > MAX_STRAY_PORTS) throw new MatryoshkaError('relay.unknown-port', 'too many ports that are not open');
    return true;
  }
}

/** Ports until a time each. All are kept equally long, so the oldest ones end first. */
class ExpiringPorts {
  readonly #untilMs = new Map<bigint, number>();

  get size(): number {
    return this.#untilMs.size;
  }

  has(port: bigint, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(port);
    return untilMs !== undefined && untilMs > nowMs;
  }

  add(port: bigint, nowMs: number, untilMs: number): void {
    for (const [old, oldUntilMs] of this.#untilMs) {
      if (oldUntilMs > nowMs) break;
      this.#untilMs.delete(old);
    }
    // Again at the end, where the newest ones are.
    this.#untilMs.delete(port);
    this.#untilMs.set(port, untilMs);
  }

  forgetOldest(): void {
    for (const port of this.#untilMs.keys()) {
      this.#untilMs.delete(port);
      return;
    }
  }
}
