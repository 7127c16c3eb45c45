import type { LinkAttempt, LinkSource, Session } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import type { PeerId } from '@matryoshka/session';
import type { Clock, CloseReason, Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';

/** A path that changes more often than this within so many milliseconds is changed slowly from then on (R13). */
const MAX_CHANGES = 3;
const CHANGES_WITHIN_MS = 600_000;
/** Pauses before further changes double from the first to the second, in milliseconds. */
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 8000;
/** After these another first relay is preferred: something on the path does what it should not, or nothing at all. */
const MISTRUSTED: ReadonlySet<string> = new Set(['session.record-failed', 'session.path-stalled']);
/** What a first relay answers that another one may not: it, or somebody behind it, can do nothing at this time. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'relay.disabled',
  'relay.no-peers-available',
  'relay.rate-limited',
  'relay.busy',
  'relay.limit',
  'relay.timeout',
  'relay.carrier-lost',
]);

/** What a relayed path is made with. */
export interface RelayedPathParts {
  readonly clock: Clock;
  /** From 1 to 15 (R2). */
  readonly hops: number;
  /** Whether the user has named the first relay: then there is no other. */
  readonly named: boolean;
  /** First relays that others are preferred to from the beginning. */
  readonly avoid: readonly PeerId[];
  /** The first relay for so many hops: another one than those to avoid, if there is one. */
  gateway(hops: number, avoid: ReadonlySet<PeerId>, signal: AbortSignal): Promise<Session>;
  /** Opens a relay link through it. */
  open(gateway: Session, hops: number, attempt: LinkAttempt, signal: AbortSignal): Promise<Link>;
}

/**
 * How a relayed session gets its links (R13): through the first relay that it has as long as that is good, over other hops
 * behind it; through another one where it is gone, where somebody on the path tampers or keeps silent, and where an
 * attempt came to nothing.
 */
export class RelayedPath implements LinkSource {
  readonly hops: number;
  readonly #parts: RelayedPathParts;
  readonly #avoid: Map<PeerId, number>;
  #gateway: Session | undefined;
  /** What the session lost its link for last. */
  #reason: CloseReason | undefined;
  /** What the last first relay failed with, while the session has no link yet. */
  #refusal: MatryoshkaError | undefined;
  /** Attempts since the path has changed, or since that reason. */
  #attempts = 0;
  /** When the path has changed lately. */
  #changesMs: number[] = [];

  constructor(parts: RelayedPathParts) {
    this.#parts = parts;
    this.hops = parts.hops;
    const untilMs = parts.clock.now() + CHANGES_WITHIN_MS;
    this.#avoid = new Map(parts.avoid.map((peerId) => [peerId, untilMs]));
  }

  /** The first relay of the newest link. */
  get gateway(): Session | undefined {
    return this.#gateway;
  }

  get pauseMs(): number {
    const fromMs = this.#parts.clock.now() - CHANGES_WITHIN_MS;
    this.#changesMs = this.#changesMs.filter((atMs) => atMs > fromMs);
    return this.#changesMs.length < MAX_CHANGES ? 0 : Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.#attempts);
  }

  async next(attempt: LinkAttempt, signal: AbortSignal): Promise<Link> {
    this.#judge(attempt.reason);
    const avoid = this.#avoided();
    const kept = this.#gateway;
    const good = kept !== undefined && kept.sending && !kept.stalled && !isOneOf(avoid, kept);
    const gateway = good ? kept : await this.#parts.gateway(this.hops, avoid, signal);
    // Whoever has just refused is not asked again (R14).
    if (this.#refusal !== undefined && attempt.session === undefined && isOneOf(avoid, gateway)) throw this.#refusal;
    this.#gateway = gateway;
    this.#attempts++;
    return this.#parts.open(gateway, this.hops, attempt, signal);
  }

  /** Whether another first relay may do what the last one has just failed to do: then `next` asks that one. */
  failed(error: unknown): boolean {
    if (this.hops === 1 || this.#parts.named || this.#gateway === undefined || error === this.#refusal) return false;
    if (!(error instanceof MatryoshkaError) || !ELSEWHERE.has(error.code)) return false;
    this.#refusal = error;
    return true;
  }

  /** The session runs over the newest link, which is not its first one. */
  changed(): void {
    this.settled();
    this.#changesMs.push(this.#parts.clock.now());
  }

  /** The session runs over the newest link. */
  settled(): void {
    this.#attempts = 0;
    this.#refusal = undefined;
  }

  #judge(reason: CloseReason | undefined): void {
    const news = reason !== this.#reason;
    this.#reason = reason;
    if (news) this.#attempts = 0;
    if (news ? isMistrust(reason) : this.#attempts > 0) this.#mistrust();
  }

  #mistrust(): void {
    const peerId = this.#gateway && peerIdOf(this.#gateway);
    if (peerId !== undefined) this.#avoid.set(peerId, this.#parts.clock.now() + CHANGES_WITHIN_MS);
  }

  #avoided(): ReadonlySet<PeerId> {
    const nowMs = this.#parts.clock.now();
    for (const [peerId, untilMs] of this.#avoid) if (untilMs <= nowMs) this.#avoid.delete(peerId);
    return new Set(this.#avoid.keys());
  }
}

/** The other side may have found out first: then it is its reason for closing the link. */
function isMistrust(reason: CloseReason | undefined): boolean {
  const told = reason?.cause instanceof MatryoshkaError ? reason.cause : reason;
  return told !== undefined && MISTRUSTED.has(told.code);
}

function isOneOf(peers: ReadonlySet<PeerId>, session: Session): boolean {
  const peerId = peerIdOf(session);
  return peerId !== undefined && peers.has(peerId);
}
