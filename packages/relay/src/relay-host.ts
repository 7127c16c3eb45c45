import type { Session } from '@matryoshka/peer';
import type { PeerId, Random } from '@matryoshka/session';
import type { Accept, Clock } from '@matryoshka/transport';
import type { Endpoint, MatryoshkaError, RelayRegister } from '@matryoshka/wire';
import type { ServedLink } from './served-link.ts';

/**
 * Why a neighbour's request was refused: above its allowance, because of too many in a time, waiting for their answers,
 * or open; or for what it did before.
 */
export type RelayRefusal = 'relay-requests' | 'relay-handshakes' | 'relay-links' | 'relay-reputation';

/** What the relay service gets from the node it runs in. */
export interface RelayHost {
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** Who this node is. */
  readonly peerId: PeerId;
  /** Open sessions. */
  sessions(): Iterable<Session>;
  /** Where this node itself is, as far as it knows. */
  ownEndpoints(): readonly Endpoint[];
  /** Where a peer is known to be apart from its sessions, e.g. by configuration. */
  endpointsOf(peerId: PeerId): readonly Endpoint[];
  /** Whether a peer is known beforehand, so that it may ask for more (R14); by default nobody is. */
  isKnown?(peerId: PeerId): boolean;
  /** What is said of a peer, for routing policies; by default nothing. */
  tagsOf?(peerId: PeerId): readonly string[];
  /** The routing policy failed over someone else's request, who hears only that no peer is available. */
  onPolicyFailed?(error: MatryoshkaError): void;
  /** Makes a direct connection to an endpoint, for a last hop. Whoever is there: the originator verifies it end to end. */
  dial(endpoint: Endpoint): Promise<Session>;
  /** Takes a relay link that ends here, with its first handshake message. */
  accept: Accept;
  /** A relay has answered this node's wish to be registered with it, or ends that (R9). */
  onRegistration?(session: Session, message: RelayRegister): void;
  /** Something happened to a relay link served here. */
  onServed(event: 'requested' | 'opened' | 'closed', link: ServedLink): void;
  /** A request was refused because its sender asks too much, or has lost its reputation. */
  onRefused?(reason: RelayRefusal): void;
}
