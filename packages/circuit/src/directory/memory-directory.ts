import { MAX_DESCRIPTOR_LIFETIME_MS, type PeerId, type VerifiedDescriptor } from '@matryoshka/session';
import type { Directory, DirectoryChange, DirectoryContext, DirectoryFactory, Publication } from './directory.ts';

/** Peers that a directory holds at most (docs/protocol.md §11): 10 MiB of descriptors. */
export const MAX_DESCRIPTORS = 10_000;

/** A directory in memory. */
export class MemoryDirectory implements Directory {
  readonly #unixMs: () => number;
  readonly #maxDescriptors: number;
  readonly #descriptors = new Map<PeerId, VerifiedDescriptor>();
  /** Those that have expired. Versions before theirs may be good for longer, and are replaced all the same. */
  readonly #past = new Map<PeerId, VerifiedDescriptor>();
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
    if (version <= ((known ?? this.#pastOf(peerId))?.version ?? -1)) return 'known';
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

  /** Takes the version of one that has expired, as if it had done so here. */
  remember(descriptor: VerifiedDescriptor): void {
    const { peerId, version } = descriptor;
    if (this.#descriptors.has(peerId) || version <= (this.#past.get(peerId)?.version ?? -1)) return;
    this.#past.set(peerId, descriptor);
    this.#forgetPast();
  }

  /** Those that have expired and whose versions still count. */
  past(): readonly VerifiedDescriptor[] {
    this.#expire();
    return [...this.#past.values()];
  }

  watch(listener: (change: DirectoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #expire(): void {
    const now = this.#unixMs();
    if (now < this.#nextExpiryUnixMs) return;
    const expired = [...this.#descriptors.values()].filter((descriptor) => !descriptor.usableAt(now));
    for (const descriptor of expired) {
      this.#descriptors.delete(descriptor.peerId);
      this.#past.set(descriptor.peerId, descriptor);
    }
    this.#forgetPast();
    this.#nextExpiryUnixMs = Math.min(...[...this.#descriptors.values()].map(expiryOf));
    for (const { peerId } of expired) this.#changed({ type: 'expired', peerId });
  }

  #pastOf(peerId: PeerId): VerifiedDescriptor | undefined {
    const past = this.#past.get(peerId);
    return past !== undefined && counts(past, this.#unixMs()) ? past : undefined;
  }

  /** Those that no older one can outlive, and the first ones where there are too many. */
  #forgetPast(): void {
    const now = this.#unixMs();
    for (const [peerId, descriptor] of this.#past)
      if (!counts(descriptor, now) || this.#past.size > this.#maxDescriptors) this.#past.delete(peerId);
  }

  #changed(change: DirectoryChange): void {
    this.#list = undefined;
    for (const listener of this.#listeners) listener(change);
  }
}

/** How much a directory in memory holds. */
export interface MemoryDirectoryOptions {
  /** Peers at most; default 10,000. */
  readonly maxDescriptors?: number;
}

/** A directory that is forgotten with its node. */
export function memoryDirectory(options: MemoryDirectoryOptions = {}): DirectoryFactory {
  return (context) => new MemoryDirectory(context, options);
}

/** Whatever was signed before it has expired by a lifetime after it did. */
function counts(past: VerifiedDescriptor, unixMs: number): boolean {
  return unixMs < past.body.expiresUnixMs + MAX_DESCRIPTOR_LIFETIME_MS;
}

function expiryOf({ body }: VerifiedDescriptor): number {
  return Math.min(body.expiresUnixMs, body.staticKeyExpiresUnixMs);
}
