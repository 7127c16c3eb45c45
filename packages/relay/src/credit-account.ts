import type { Session } from '@matryoshka/peer';
import { peerIdOf } from './neighbours.ts';

/**
 * Who pays for the windows of a request that came on `session`: its peer; for an anonymous one whoever carries it, since
 * anybody can have any number of those.
 * @param sessions - all of this node
 */
export function creditAccount(session: Session, sessions: Iterable<Session>): string {
  const peerId = peerIdOf(session);
  if (peerId !== undefined) return peerId;
  const [carrierId] = session.link.info.carriers;
  if (carrierId === undefined) return session.id;
  for (const carrier of sessions) if (carrier.id === carrierId) return creditAccount(carrier, sessions);
  return carrierId;
}
