import type { PeerId } from '@matryoshka/session';
import type { LatencyKnowledge } from './constraints.ts';
import type { BandwidthKnowledge } from './weights.ts';

/** How much the newest round trip counts, as in TCP (RFC 6298 §2). */
const LATENCY_GAIN = 1 / 8;
/** Peers, and pairs of them, that are remembered; above it the one measured longest ago is forgotten. */
const MAX_REMEMBERED = 8_192;

/** What circuits have shown of the relays on them. */
export class Measurements implements LatencyKnowledge, BandwidthKnowledge {
  readonly #latencies = new Map<string, number>();
  readonly #bandwidths = new Map<PeerId, number>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  latencyMs(candidate: PeerId, previous: PeerId | undefined): number | undefined {
    return this.#latencies.get(`${previous ?? ''} ${candidate}`);
  }

  bandwidthOf(peerId: PeerId): number | undefined {
    return this.#bandwidths.get(peerId);
  }

  /** A round trip between two hops took that long, in milliseconds; smoothed. */
  roundTrip(candidate: PeerId, previous: PeerId | undefined, ms: number): void {
    const before = this.latencyMs(candidate, previous);
    remember(this.#latencies, `${previous ?? ''} ${candidate}`, before === undefined ? ms : before + LATENCY_GAIN * (ms - before));
  }

  /** So much went through these peers together: each of them can carry it at least. */
  carried(peers: readonly PeerId[], bytesPerSecond: number): void {
    for (const peerId of peers) {
      const before = this.bandwidthOf(peerId) ?? 0;
      // Less was only not asked for; half of the difference goes with each time that it is less.
      const value = Math.max(bytesPerSecond, (before + bytesPerSecond) / 2);
      remember(this.#bandwidths, peerId, value);
    }
    this.#version++;
  }
}

function remember<Key>(map: Map<Key, number>, key: Key, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
