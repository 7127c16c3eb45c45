import { MatryoshkaError } from '@matryoshka/wire';
import type { LinkEnd } from './link-end.ts';
import { PortTable } from './port-table.ts';

/** Ports that may rest on one session at once. */
const MAX_RESTING = 16_384;

/** The relay links of one session, by port, and the ports that rest after a close. */
export class SessionLinks {
  readonly #ends = new PortTable<LinkEnd>();
  readonly #resting = new Map<bigint, number>();

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
    return this.#ends.has(port) || this.resting(port, nowMs);
  }

  resting(port: bigint, nowMs: number): boolean {
    const until = this.#resting.get(port);
    return until !== undefined && until > nowMs;
  }

  add(port: bigint, end: LinkEnd): void {
    this.#ends.set(port, end);
  }

  /** The link is over: late messages are tolerated until `untilMs`. @throws MatryoshkaError `relay.unknown-port` above the bound */
  rest(port: bigint, nowMs: number, untilMs: number): void {
    this.#ends.delete(port);
    for (const [old, until] of this.#resting) {
      if (until > nowMs) break;
      this.#resting.delete(old);
    }
    if (this.#resting.size >= MAX_RESTING) throw new MatryoshkaError('relay.unknown-port', 'too many ports that are not open');
    this.#resting.set(port, untilMs);
  }
}
