import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';

/** What became of a descriptor that was published: taken for a peer not known before, or instead of an older one; or not. */
export type Publication = 'added' | 'replaced' | 'known' | 'expired' | 'full';

/** A descriptor that was taken, or the peer whose last one has expired. */
export type DirectoryChange =
  | { readonly type: 'added' | 'replaced'; readonly descriptor: VerifiedDescriptor }
  | { readonly type: 'expired'; readonly peerId: PeerId };

/**
 * The descriptors that this node has: all of them are here, so that nobody learns which hops were looked up. It has one
 * of each peer at most, the newest, and none that has expired.
 */
export interface Directory {
  /** Takes a descriptor unless there is a newer one, it has expired, or there is no room for another peer. */
  publish(descriptor: VerifiedDescriptor): Publication;
  /** The newest descriptor of a peer that may be used now. */
  get(peerId: PeerId): VerifiedDescriptor | undefined;
  /** All that may be used now, in no order. */
  list(): readonly VerifiedDescriptor[];
  /** Hears of every change until the returned function is called. */
  watch(listener: (change: DirectoryChange) => void): () => void;
  /** Resolves when what it keeps is safe. */
  close?(): Promise<void>;
}

/** What a directory is made with. */
export interface DirectoryContext {
  /** Milliseconds since 1970. */
  unixMs(): number;
  /** Verifies a descriptor that was kept; it may have expired since. @throws MatryoshkaError as `VerifiedDescriptor.verify` */
  verify(bytes: Uint8Array): VerifiedDescriptor;
}

/** Makes the directory of a node. */
export type DirectoryFactory = (context: DirectoryContext) => Directory | Promise<Directory>;
