import type { PeerId } from '@matryoshka/session';
import type { MatryoshkaError } from '@matryoshka/wire';
import type { Connection } from './connection.ts';
import type { RegistrationStatus } from './registrars.ts';
import type { RelayLinkStatus } from './status.ts';

/** Another path of a connection. */
export interface PathChange {
  /** Which one; its `peerId` and streams stay as they are. */
  readonly connection: Connection;
  /** The first relay, or for an accepted connection the last one; undefined for a direct connection, and for one that shows no identity. */
  readonly gateway: PeerId | undefined;
  /** Why the path before was left. */
  readonly reason: MatryoshkaError;
}

/** What a node tells. */
export interface NodeEvents extends Record<string, unknown> {
  /** A connection is open, whoever opened it. */
  readonly 'connection': Connection;
  /** The link of a connection is gone; it goes on over the next one, unless there is none in time. */
  readonly 'suspended': { readonly connection: Connection; readonly reason: MatryoshkaError };
  /** A suspended connection has its next link: nothing of it was lost. */
  readonly 'resumed': { readonly connection: Connection };
  /** A relayed or telescoped connection goes on over another path (R13), or a connection was moved to one. */
  readonly 'path-changed': PathChange;
  /** A connection is over, for whatever reason; it does not come back. */
  readonly 'disconnected': { readonly connection: Connection; readonly reason: MatryoshkaError };
  /** A peer that descriptors are exchanged with has sent what no honest peer passes on, such as a forged one. */
  readonly 'descriptor-refused': { readonly peerId: PeerId; readonly reason: MatryoshkaError };
  /** A registration with a relay has changed its state (R9). */
  readonly 'registration': RegistrationStatus;
  /** The routing policy threw, or chose whom it was not offered: the request it was asked for heard that no peer is available. */
  readonly 'policyFailed': { readonly error: MatryoshkaError };
  /** Something happened to a relay link that this node forwards. */
  readonly 'relay': { readonly event: 'requested' | 'opened' | 'closed'; readonly link: RelayLinkStatus };
}
