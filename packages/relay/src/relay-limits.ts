import type { Clock } from '@matryoshka/transport';
import { MatryoshkaError, type RelayLimits } from '@matryoshka/wire';
import type { Account } from './account.ts';
import { Agenda } from './agenda.ts';
import { ByteBucket, ByteQuota } from './byte-limits.ts';

/** Limits of all links of one peer, or of a node, together; 0 is no limit. */
export interface SharedLimits extends RelayLimits {
  /** How many there may be. */
  readonly links: number;
}

/**
 * Limits of links that a node forwards (R16); 0 is no limit. Bytes are relay data, both directions together. A link has
 * the age of whichever allows least.
 */
export interface RelayLimitSettings {
  /** Of each link. */
  readonly link: RelayLimits;
  /** Of all links of one peer together. */
  readonly peer: SharedLimits;
  /** Of all links of the node together. */
  readonly node: SharedLimits;
  /** After this time the bytes of a peer, and of the node, are there again, in milliseconds. */
  readonly periodMs: number;
}

/** No limit in any respect. */
export const UNLIMITED: RelayLimits = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };

/** None. */
export const DEFAULT_RELAY_LIMITS: RelayLimitSettings = {
  link: UNLIMITED,
  peer: { ...UNLIMITED, links: 0 },
  node: { ...UNLIMITED, links: 0 },
  periodMs: 86_400_000,
};

/** When there may be room for another link, in milliseconds. */
const RETRY_AFTER_MS = 1000;

/** What both allow: the smaller of each, where 0 is no limit. */
export function strictest(a: RelayLimits, b: RelayLimits): RelayLimits {
  return {
    bytesPerSecond: least(a.bytesPerSecond, b.bytesPerSecond),
    maxBytes: least(a.maxBytes, b.maxBytes),
    maxAgeMs: least(a.maxAgeMs, b.maxAgeMs),
  };
}

function least(a: number, b: number): number {
  return a === 0 || b === 0 ? Math.max(a, b) : Math.min(a, b);
}

/** What a node holds the links to that it forwards, and what is used of it; each link has a `LinkMeter` beside. */
export class RelayLimiter {
  readonly clock: Clock;
  readonly bucket: ByteBucket = new ByteBucket();
  readonly quota: ByteQuota = new ByteQuota();
  /** Senders that wait for their turn. */
  readonly waiting: Agenda;
  /** When links are too old. */
  readonly ages: Agenda;
  #settings: RelayLimitSettings = DEFAULT_RELAY_LIMITS;
  #told: RelayLimits = UNLIMITED;
  #links = 0;

  constructor(clock: Clock, settings: RelayLimitSettings) {
    this.clock = clock;
    this.waiting = new Agenda(clock);
    this.ages = new Agenda(clock);
    this.update(settings);
  }

  get settings(): RelayLimitSettings {
    return this.#settings;
  }

  /** What a requester is told that one link may do. */
  get told(): RelayLimits {
    return this.#told;
  }

  /** From now on these count, also for the links there are; their meters have to look at their ages again. */
  update(settings: RelayLimitSettings): void {
    this.#settings = settings;
    this.#told = strictest(settings.link, strictest(settings.peer, settings.node));
    // They have paid by other rates.
    this.waiting.hurry();
  }

  /** Why there can be no other link for `account` now, if there cannot. */
  refusal(account: Account): MatryoshkaError | undefined {
    const { node, peer } = this.#settings;
    if ((node.links > 0 && this.#links >= node.links) || (peer.links > 0 && account.links >= peer.links))
      return new MatryoshkaError('relay.busy', 'the relay forwards as many links as it may', { retryAfterMs: RETRY_AFTER_MS });
    const nowMs = this.clock.now();
    const retryAfterMs = Math.max(
      node.maxBytes > 0 ? this.quota.exhaustedForMs(node.maxBytes, nowMs) : 0,
      peer.maxBytes > 0 ? account.quota.exhaustedForMs(peer.maxBytes, nowMs) : 0,
    );
    if (retryAfterMs === 0) return undefined;
    return new MatryoshkaError('relay.limit', 'the relay has forwarded as many bytes as it may', { retryAfterMs });
  }

  /** There is one more link, or one less. */
  count(account: Account, change: 1 | -1): void {
    this.#links += change;
    account.links += change;
  }
}
