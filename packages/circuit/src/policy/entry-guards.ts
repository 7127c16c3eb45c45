import { type PeerId, type Random, type VerifiedDescriptor, randomBetween } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import type { EntryPolicy } from './path-policy.ts';

const DAY_MS = 86_400_000;
/** A guard is kept for 60 to 120 days, drawn for each: as in Tor (guard-spec, GUARD_LIFETIME and GUARD_CONFIRMED_MIN_LIFETIME). */
const MIN_LIFETIME_DAYS = 60;
const MAX_LIFETIME_DAYS = 120;
/** Guards that are asked for, of which the first that works is used (guard-spec, N_PRIMARY_GUARDS). */
const DEFAULT_COUNT = 3;
/** Most that are ever chosen while none works: an attacker who cuts all others off must not go on until its own come (guard-spec, MAX_SAMPLE_SIZE). */
const MAX_GUARDS = 60;
/** How long one that failed is not tried again, in milliseconds; doubled each time. */
const MIN_REST_MS = 60_000;
const MAX_REST_MS = 3_600_000;

/** A first hop that is kept. Ready for JSON. */
export interface Guard {
  /** Who it is. */
  readonly peerId: PeerId;
  /** When it is replaced, in milliseconds since 1970. */
  readonly untilUnixMs: number;
}

/** Keeps guards, in their order, between two starts of a node. */
export interface GuardStore {
  /** Those that were saved last, none where there are none. */
  load(): Iterable<Guard>;
  /** Called at each change, with all of them. */
  save(guards: readonly Guard[]): void;
}

/** How many guards there are, and where they are kept. */
export interface EntryGuardsOptions {
  /** Guards to have; default 3. */
  readonly count?: number;
  /** Without one they last as long as the node runs. */
  readonly store?: GuardStore;
}

/**
 * Few first hops, kept for months: whoever chooses a new one each time meets a bad one soon, and that one sees who builds
 * circuits (guard-spec §1). Tor keeps a sampled, a filtered, a confirmed and a primary set; here it is one list in the order
 * in which guards were chosen. The first that can be used is used; behind those of `count` others follow only while none of
 * them can.
 *
 * | a guard | on | next |
 * |---|---|---|
 * | *usable* | it could not be connected to | *resting*, 1 min, doubled each time up to 1 h |
 * | *resting* | its rest is over; it was connected to | *usable* |
 * | any | its descriptor is gone, or it may not be on this path | left out this time |
 * | any | its time is over | replaced by a new one at the end of the list |
 */
export class EntryGuards implements EntryPolicy {
  readonly #clock: Clock;
  readonly #count: number;
  readonly #store: GuardStore | undefined;
  readonly #resting = new Map<PeerId, { readonly untilMs: number; readonly restMs: number }>();
  #guards: readonly Guard[];

  constructor(clock: Clock, { count = DEFAULT_COUNT, store }: EntryGuardsOptions = {}) {
    this.#clock = clock;
    this.#count = count;
    this.#store = store;
    this.#guards = [...(store?.load() ?? [])].slice(0, MAX_GUARDS);
  }

  /** Those there are, the first one preferred. */
  get guards(): readonly Guard[] {
    return this.#guards;
  }

  entries(
    find: (peerId: PeerId) => VerifiedDescriptor | undefined,
    draw: (without: ReadonlySet<PeerId>) => VerifiedDescriptor | undefined,
    random: Random,
  ): readonly VerifiedDescriptor[] {
    const unixMs = this.#clock.unixMs();
    const kept = this.#guards.filter(({ untilUnixMs }) => unixMs < untilUnixMs);
    const usable = (): VerifiedDescriptor[] => kept.flatMap(({ peerId }) => (this.#rests(peerId) ? [] : (find(peerId) ?? [])));
    while (kept.length < this.#count || (usable().length === 0 && kept.length < MAX_GUARDS)) {
      const guard = draw(new Set(kept.map(({ peerId }) => peerId)));
      if (guard === undefined) break;
      const days = randomBetween(random, MIN_LIFETIME_DAYS, MAX_LIFETIME_DAYS);
      kept.push({ peerId: guard.peerId, untilUnixMs: unixMs + days * DAY_MS });
    }
    this.#keep(kept);
    return usable();
  }

  /** It could not be connected to. */
  failed(peerId: PeerId): void {
    if (!this.#guards.some((guard) => guard.peerId === peerId)) return;
    const restMs = Math.min(MAX_REST_MS, 2 * (this.#resting.get(peerId)?.restMs ?? MIN_REST_MS / 2));
    this.#resting.set(peerId, { untilMs: this.#clock.now() + restMs, restMs });
  }

  /** It was connected to. */
  succeeded(peerId: PeerId): void {
    this.#resting.delete(peerId);
  }

  #rests(peerId: PeerId): boolean {
    return this.#clock.now() < (this.#resting.get(peerId)?.untilMs ?? -Infinity);
  }

  #keep(guards: readonly Guard[]): void {
    if (guards.length === this.#guards.length && guards.every((guard, i) => guard === this.#guards[i])) return;
    this.#guards = guards;
    for (const peerId of this.#resting.keys()) if (!guards.some((guard) => guard.peerId === peerId)) this.#resting.delete(peerId);
    this.#store?.save(guards);
  }
}
