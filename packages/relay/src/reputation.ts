import type { Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import { type Clock, TokenBucket } from '@matryoshka/transport';
import { peerIdOf } from './neighbours.ts';

/** How much a neighbour's deeds weigh, and for how long. */
export interface ReputationSettings {
  /** What comes back each minute, of 100. */
  readonly recoverPerMinute: number;
  /** Below it relay requests are refused. */
  readonly refuseBelow: number;
  /** Below it the session is closed, and new ones are refused. */
  readonly closeBelow: number;
}

/** Ten points come back each minute, of 100. */
export const DEFAULT_REPUTATION_SETTINGS: ReputationSettings = { recoverPerMinute: 10, refuseBelow: 50, closeBelow: 10 };

/** What costs reputation: a session that had to end for what was sent on it, a port that leads nowhere, going on after refusals. */
export type Deed = 'malformed' | 'unknown-port' | 'went-on';

const FULL = 100;
const COSTS: Readonly<Record<Deed, number>> = { 'malformed': 40, 'unknown-port': 1, 'went-on': 2 };
/** Refusals that cost nothing: requests that were on their way when the first one was sent. */
const TOLERATED_REFUSALS = { perSecond: 1, burst: 32 };
/** Peers below the full score that are remembered; above it the one with the oldest deed is forgotten. */
const MAX_PEERS = 4096;

interface Score {
  value: number;
  atMs: number;
}

/**
 * What this node thinks of its direct neighbours, by what they themselves have sent: nobody answers for those behind
 * (principle 6). It recovers with time. Of a neighbour without an identity only its session is known.
 */
export class Reputations {
  readonly #clock: Clock;
  #settings: ReputationSettings;
  /** The one with the newest deed at the end. */
  readonly #peers = new Map<PeerId, Score>();
  readonly #sessions = new WeakMap<Session, Score>();
  readonly #refusals = new WeakMap<Session, TokenBucket>();

  constructor(clock: Clock, settings: ReputationSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  update(settings: ReputationSettings): void {
    this.#settings = settings;
  }

  /** From 0 to 100; of a session over a relay link always 100. */
  of(session: Session): number {
    const peerId = peerIdOf(session);
    return isDirect(session) ? this.#now(peerId === undefined ? this.#sessions.get(session) : this.#peers.get(peerId)) : FULL;
  }

  /** Those that are below 100. */
  get peers(): readonly { readonly peerId: PeerId; readonly score: number }[] {
    return [...this.#peers].map(([peerId, score]) => ({ peerId, score: this.#now(score) })).filter(({ score }) => score < FULL);
  }

  /** Whether sessions of a direct neighbour are refused. */
  mistrusts(peerId: PeerId): boolean {
    return this.#now(this.#peers.get(peerId)) < this.#settings.closeBelow;
  }

  /** In how many milliseconds relay requests of a session's other side are taken again; 0: now. */
  refusesForMs(session: Session): number {
    const missing = this.#settings.refuseBelow - this.of(session);
    return missing <= 0 ? 0 : Math.ceil((missing / this.#settings.recoverPerMinute) * 60_000);
  }

  /** The other side of `session` did this. Returns whether it has lost so much that the session has to close. */
  did(session: Session, deed: Deed): boolean {
    if (!isDirect(session)) return false;
    const score = { value: Math.max(0, this.of(session) - COSTS[deed]), atMs: this.#clock.now() };
    const peerId = peerIdOf(session);
    if (peerId === undefined) this.#sessions.set(session, score);
    else this.#remember(peerId, score);
    return score.value < this.#settings.closeBelow;
  }

  /** A request of the other side was refused because it is above its allowance. Returns as {@link did}. */
  refused(session: Session): boolean {
    const nowMs = this.#clock.now();
    let refusals = this.#refusals.get(session);
    if (refusals === undefined) this.#refusals.set(session, (refusals = new TokenBucket(nowMs)));
    return refusals.take(TOLERATED_REFUSALS, nowMs) > 0 && this.did(session, 'went-on');
  }

  #now(score: Score | undefined): number {
    if (score === undefined) return FULL;
    const recovered = ((this.#clock.now() - score.atMs) / 60_000) * this.#settings.recoverPerMinute;
    return Math.min(FULL, score.value + recovered);
  }

  #remember(peerId: PeerId, score: Score): void {
    this.#peers.delete(peerId);
    this.#peers.set(peerId, score);
    if (this.#peers.size <= MAX_PEERS) return;
    for (const [oldest] of this.#peers) {
      this.#peers.delete(oldest);
      return;
    }
  }
}

function isDirect(session: Session): boolean {
  return session.link.info.kind === 'direct';
}
