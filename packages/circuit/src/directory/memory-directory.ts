import { MAX_DESCRIPTOR_LIFETIME_MS, type PeerId, type VerifiedDescriptor } from '@matryoshka/session';
import type { Directory, DirectoryChange, DirectoryContext, DirectoryFactory, Publication } from './directory.ts';

/** Peers that a directory holds at most (docs/protocol.md §11): 10 MiB of descriptors. */
export const MAX_DESCRIPTORS = 10_000;

/** A directory in memory. */
export class MemoryDirectory implements Directory {
  readonly #unixMs: () => number;
  readonly #maxDescriptors: number;
  readonly #descriptors = new Map<PeerId, VerifiedDescriptor>();
  /** The versions of those that have expired, the latest last: older ones may be good for longer, and are replaced all the same. */
  readonly #past = new Map<PeerId, { readonly version: number; readonly untilUnixMs: number }>();
  readonly #listeners = new Set<(change: DirectoryChange) => void>();
  #list: readonly VerifiedDescriptor[] | undefined;
  /** Nothing expires before. */
  #nextExpiryUnixMs = Infinity;

  constructor({ unixMs }: Pick<DirectoryContext, 'unixMs'>, { maxDescriptors = MAX_DESCRIPTORS }: MemoryDirectoryOptions = {}) {
    this.#unixMs = unixMs;
    this.#maxDescriptors = maxDescriptors;
  }

  publish(descriptor: VerifiedDescriptor): Publication {
    this.#expire();
    const { peerId, version } = descriptor;
    if (!descriptor.usableAt(this.#unixMs())) return 'expired';
    const known = this.#descriptors.get(peerId);
    // Of two with one version the first one stays: whoever signs two tells different things to different peers.
    if (version <= (known?.version ?? this.#pastVersion(peerId))) return 'known';
    if (known === undefined && this.#descriptors.size >= this.#maxDescriptors) return 'full';
    this.#descriptors.set(peerId, descriptor);
    this.#past.delete(peerId);
    this.#nextExpiryUnixMs = Math.min(this.#nextExpiryUnixMs, expiryOf(descriptor));
    const type = known === undefined ? 'added' : 'replaced';
    this.#changed({ type, descriptor });
    return type;
  }

  get(peerId: PeerId): VerifiedDescriptor | undefined {
    this.#expire();
    return this.#descriptors.get(peerId);
  }

  list(): readonly VerifiedDescriptor[] {
    this.#expire();
    this.#list ??= [...this.#descriptors.values()];
    return this.#list;
  }

  watch(listener: (change: DirectoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #expire(): void {
    const now = this.#unixMs();
    if (now < this.#nextExpiryUnixMs) return;
    const expired = [...this.#descriptors.values()].filter((descriptor) => !descriptor.usableAt(now));
    for (const { peerId, version } of expired) {
      this.#descriptors.delete(peerId);
      this.#past.set(peerId, { version, untilUnixMs: now + MAX_DESCRIPTOR_LIFETIME_MS });
    }
    for (const [peerId, { untilUnixMs }] of this.#past) {
      if (untilUnixMs > now && this.#past.size <= this.#maxDescriptors) break;
      this.#past.delete(peerId);
    }
    this.#nextExpiryUnixMs = Math.min(...[...this.#descriptors.values()].map(expiryOf));
    for (const { peerId } of expired) this.#changed({ type: 'expired', peerId });
  }

  /** -1: none is remembered. */
  #pastVersion(peerId: PeerId): number {
    const past = this.#past.get(peerId);
    return past === undefined || past.untilUnixMs <= this.#unixMs() ? -1 : past.version;
  }

  #changed(change: DirectoryChange): void {
    this.#list = undefined;
    for (const listener of this.#listeners) listener(change);
  }
}

export interface MemoryDirectoryOptions {
  /** Peers at most; default 10,000. */
  readonly maxDescriptors?: number;
}

/** A directory that is forgotten with its node. */
export function memoryDirectory(options: MemoryDirectoryOptions = {}): DirectoryFactory {
  return (context) => new MemoryDirectory(context, options);
}

function expiryOf({ body }: VerifiedDescriptor): number {
  return Math.min(body.expiresUnixMs, body.staticKeyExpiresUnixMs);
}
