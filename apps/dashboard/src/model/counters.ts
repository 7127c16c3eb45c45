import type { NodeStatus } from '@matryoshka/node';
import { connectionKey, hopKey, relayLinkKey } from './map.ts';
import type { Counters } from './rates.ts';

/** Key of the sum of all direct connections: whatever else there is runs inside of them. */
export const ALL = 'all';

/** Every counter of bytes that the node tells, each under its own key. */
export function countersOf({ connections, relayLinks }: NodeStatus): ReadonlyMap<string, Counters> {
  const counters = new Map<string, Counters>();
  let [sent, received] = [0, 0];
  for (const { id, kind, bytesSent, bytesReceived, roundTripMs, hops } of connections) {
    counters.set(connectionKey(id), { sent: bytesSent, received: bytesReceived, roundTripMs: hops?.at(-1)?.roundTripMs ?? roundTripMs });
    for (const [index, hop] of hops?.entries() ?? [])
      counters.set(hopKey(id, index), { sent: hop.bytesSent, received: hop.bytesReceived, roundTripMs: hop.roundTripMs });
    if (kind !== 'direct') continue;
    sent += bytesSent;
    received += bytesReceived;
  }
  for (const link of relayLinks) counters.set(relayLinkKey(link), { sent: link.bytesForward, received: link.bytesBackward });
  counters.set(ALL, { sent, received });
  return counters;
}
