import type { Directory } from '@matryoshka/circuit';
import { type Identity, type VerifiedDescriptor, signDescriptor } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import type { DescriptorBody } from '@matryoshka/wire';

/** What a node says of itself now; the rest of its descriptor follows from the time. */
export type Announcement = Omit<DescriptorBody, 'identityKey' | 'version' | 'expiresUnixMs' | 'staticKeyExpiresUnixMs'>;

export interface PublisherParts {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly directory: Directory;
  /** How long each descriptor is good for, in milliseconds. */
  readonly lifetimeMs: number;
  /** What to say; undefined where nothing is to be said. */
  announcement(): Announcement | undefined;
  /** @throws MatryoshkaError as `VerifiedDescriptor.verify` */
  verify(bytes: Uint8Array): VerifiedDescriptor;
}

/** Keeps this node's own descriptor in its directory: anew when something has changed, and at half of its life. */
export class Publisher {
  readonly #parts: PublisherParts;
  #timer: Timer | undefined;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Publishes what is true now, if it is anything that was not said before; from then on it stays fresh. */
  publish(): void {
    const { clock, directory, identity, lifetimeMs } = this.#parts;
    this.#timer?.cancel();
    const announcement = this.#parts.announcement();
    // Whoever was told of this node once hears that it does not relay any more; the others hear nothing.
    const before = directory.get(identity.peerId);
    if (announcement === undefined && before?.body.relays !== true) return;
    const body = announcement ?? { ...(before as VerifiedDescriptor).body, relays: false };
    const unixMs = clock.unixMs();
    const expiresUnixMs = unixMs + lifetimeMs;
    // Higher than any before, also after a restart, and where the clock was set back.
    const version = Math.max(unixMs, (before?.version ?? 0) + 1);
    const bytes = signDescriptor(identity, { ...body, version, expiresUnixMs, staticKeyExpiresUnixMs: expiresUnixMs });
    directory.publish(this.#parts.verify(bytes));
    if (announcement !== undefined) this.#timer = clock.after(lifetimeMs / 2, () => this.publish());
  }

  close(): void {
    this.#timer?.cancel();
  }
}
