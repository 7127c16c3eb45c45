import type { Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import { type Clock, type NetworkBits, TokenBucket, sourceNetwork } from '@matryoshka/transport';
import type { Allowance } from '@matryoshka/wire';
import { carriersAmong, peerIdOf } from './neighbours.ts';
import type { RelayRefusal } from './relay-host.ts';

/** What neighbours may ask of this node (R14). 0 is no limit. */
export interface AllowanceSettings {
  /** Direct neighbours that are not known beforehand, all of one source network together. */
  readonly unknown: Allowance;
  /** Peers known beforehand, each. */
  readonly known: Allowance;
  /** Sessions that came over a relay link, each; what they ask counts as asked by those that carry them, too. */
  readonly relayed: Allowance;
  /** What counts as one source network. */
  readonly sourceBits: NetworkBits;
}

const UNKNOWN: Allowance = { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 };

/** Strangers 10 requests in 10 s, peers that are known 1,000 a second. */
export const DEFAULT_ALLOWANCE_SETTINGS: AllowanceSettings = {
  unknown: UNKNOWN,
  known: { requestsPerSecond: 1000, burst: 1000, handshakes: 256, links: 65_536 },
  relayed: UNKNOWN,
  sourceBits: { ipv4Bits: 24, ipv6Bits: 48 },
};

/** One request within an allowance. */
export interface Claim {
  /** It does not wait for its answer any more. Idempotent. */
  answered(): void;
  /** Its link is over; implies `answered`. Idempotent. */
  ended(): void;
}

/** A request above an allowance. */
export interface AboveAllowance {
  readonly reason: Exclude<RelayRefusal, 'relay-reputation'>;
  readonly retryAfterMs: number;
}

/** What the allowances need of their service. */
export interface AllowancesHost {
  readonly clock: Clock;
  /** Open sessions. */
  sessions(): Iterable<Session>;
  isKnown(peerId: PeerId): boolean;
}

/** When something that ends by itself is worth another try, in milliseconds. */
const RETRY_AFTER_MS = 1000;
/** Accounts without links that are remembered; above it those that have recovered are forgotten, then the oldest. */
const MAX_ACCOUNTS = 4096;
/** So many more may come until all are looked through again: each costs the same, however many there are. */
const ACCOUNTS_PER_SWEEP = 512;

/** How much of an allowance is used: of one that was given, or of one's own at another node. */
export class AllowanceUse {
  readonly #bucket: TokenBucket;
  #handshakes = 0;
  #links = 0;

  constructor(nowMs: number) {
    this.#bucket = new TokenBucket(nowMs);
  }

  get idle(): boolean {
    return this.#links === 0;
  }

  /** Whether a new one would be the same. */
  recovered(allowance: Allowance, nowMs: number): boolean {
    return this.idle && this.#bucket.full(rateOf(allowance), nowMs);
  }

  /** Why there is no room for another request now, if there is none. */
  above(allowance: Allowance, nowMs: number): AboveAllowance | undefined {
    const { handshakes, links } = allowance;
    if (links > 0 && this.#links >= links) return { reason: 'relay-links', retryAfterMs: RETRY_AFTER_MS };
    if (handshakes > 0 && this.#handshakes >= handshakes) return { reason: 'relay-handshakes', retryAfterMs: RETRY_AFTER_MS };
    const retryAfterMs = this.#bucket.waitMs(rateOf(allowance), nowMs);
    return retryAfterMs === 0 ? undefined : { reason: 'relay-requests', retryAfterMs };
  }

  /** One request waits no longer for its answer. */
  answered(): void {
    this.#handshakes--;
  }

  /** One link is over. */
  ended(): void {
    this.#links--;
  }

  /** Takes what `above` said there is. */
  claim(allowance: Allowance, nowMs: number): Claim {
    this.#bucket.take(rateOf(allowance), nowMs);
    this.#handshakes++;
    this.#links++;
    return new UseClaim(this);
  }
}

/** One request within one allowance: there is one for each link, so it is small. */
class UseClaim implements Claim {
  readonly #use: AllowanceUse;
  #waiting = true;
  #open = true;

  constructor(use: AllowanceUse) {
    this.#use = use;
  }

  answered(): void {
    if (this.#waiting) this.#use.answered();
    this.#waiting = false;
  }

  ended(): void {
    this.answered();
    if (this.#open) this.#use.ended();
    this.#open = false;
  }
}

interface Account {
  readonly key: string;
  readonly allowance: Allowance;
}

/** Keeps count of what neighbours ask for, and says when it is more than they were allowed (R14). */
export class Allowances {
  readonly #host: AllowancesHost;
  #settings: AllowanceSettings;
  /** The one used last at the end. */
  readonly #uses = new Map<string, AllowanceUse>();
  /** Above so many, accounts that hold nothing are forgotten. */
  #sweepAbove = MAX_ACCOUNTS;

  constructor(host: AllowancesHost, settings: AllowanceSettings) {
    this.#host = host;
    this.#settings = settings;
  }

  /** From now on other allowances count; neighbours have to be told. */
  update(settings: AllowanceSettings): void {
    this.#settings = settings;
  }

  /** What the other side of a session is told that it may ask. */
  of(session: Session): Allowance {
    return this.#account(session).allowance;
  }

  /** Takes one request that came on `session`. */
  request(session: Session): Claim | AboveAllowance {
    const nowMs = this.#host.clock.now();
    const charged = this.#chain(session).map(({ key, allowance }) => ({ use: this.#use(key, nowMs), allowance }));
    for (const { use, allowance } of charged) {
      const above = use.above(allowance, nowMs);
      if (above !== undefined) return above;
    }
    const claims = charged.map(({ use, allowance }) => use.claim(allowance, nowMs));
    if (claims.length === 1) return claims[0] as Claim;
    return {
      answered: () => claims.forEach((claim) => claim.answered()),
      ended: () => claims.forEach((claim) => claim.ended()),
    };
  }

  /** Whose allowances a request on `session` uses: its own, and those of all that carry it. */
  #chain(session: Session): Account[] {
    return [session, ...carriersAmong(this.#host.sessions(), session)].map((each) => this.#account(each));
  }

  #account(session: Session): Account {
    const { known, relayed, sourceBits, unknown } = this.#settings;
    const peerId = peerIdOf(session);
    if (peerId !== undefined && this.#host.isKnown(peerId)) return { key: peerId, allowance: known };
    const { info, remote } = session.link;
    if (info.kind === 'relayed') return { key: session.id, allowance: relayed };
    return { key: sourceNetwork(remote.host, sourceBits), allowance: unknown };
  }

  #use(key: string, nowMs: number): AllowanceUse {
    const use = this.#uses.get(key) ?? new AllowanceUse(nowMs);
    this.#uses.delete(key);
    this.#uses.set(key, use);
    if (this.#uses.size > this.#sweepAbove) this.#forget(key, nowMs);
    return use;
  }

  /** Forgets accounts that hold nothing, those first that new ones would be the same as. */
  #forget(but: string, nowMs: number): void {
    // Under the strictest allowance: what is whole there is whole under all.
    for (const [key, use] of this.#uses) if (key !== but && use.recovered(this.#settings.unknown, nowMs)) this.#uses.delete(key);
    for (const [key, use] of this.#uses) {
      if (this.#uses.size <= MAX_ACCOUNTS - ACCOUNTS_PER_SWEEP) break;
      if (key !== but && use.idle) this.#uses.delete(key);
    }
    this.#sweepAbove = Math.max(MAX_ACCOUNTS, this.#uses.size + ACCOUNTS_PER_SWEEP);
  }
}

function rateOf({ requestsPerSecond, burst }: Allowance): { readonly perSecond: number; readonly burst: number } {
  return { perSecond: requestsPerSecond, burst };
}
