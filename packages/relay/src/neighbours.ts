import type { Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import { type NetworkBits, sameNetwork } from '@matryoshka/transport';
import { type Endpoint, sameEndpoint } from '@matryoshka/wire';

/** The identity of a session's other side, if it showed one. */
export function peerIdOf(session: Session): PeerId | undefined {
  return session.remote.authenticated ? session.remote.peerId : undefined;
}

/** Every endpoint known of a session's other side: its link's, the one dialled, and those it announces. */
export function endpointsOf(session: Session): Endpoint[] {
  const endpoints = [session.link.remote];
  if (session.dialled !== undefined) endpoints.push(session.dialled);
  if (session.hello !== undefined) endpoints.push(...session.hello.listening);
  return endpoints;
}

/** Somebody a next hop must not be, nor be near: by identity, by endpoint, and by network (R4). */
export interface Excluded {
  readonly peerId?: PeerId | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** Whether `session`'s other side is, or shares a network with, one of those excluded (R4, R5). */
export function isExcluded(session: Session, excluded: readonly Excluded[], bits: NetworkBits): boolean {
  const peerId = peerIdOf(session);
  const endpoints = endpointsOf(session);
  return excluded.some(
    (other) =>
      (peerId !== undefined && other.peerId === peerId) ||
      endpoints.some((mine) => other.endpoints.some((theirs) => sameEndpoint(mine, theirs) || sameNetwork(mine.host, theirs.host, bits))),
  );
}

/** Whether sending over `session` would make `carried` carry itself (docs/protocol.md §8.5). */
export function wouldLoop(session: Session, carried: Session | undefined): boolean {
  return carried !== undefined && (session === carried || session.link.info.carriers.includes(carried.id));
}

/**
 * Whether a session can be chosen at random as a next hop at all: it announces relaying, and where it is itself relayed
 * its other side has shown who it is (R4).
 */
export function mayRelay(session: Session): boolean {
  return session.hello?.relaying === true && (session.link.info.kind === 'direct' || session.remote.authenticated);
}
