import type { ConnectionStatus, NodeStatus } from '@matryoshka/node';

/**
 * The connections that are there as hops of circuits only, by id: each runs over the hop before it, and shows no identity.
 * The node lists them beside those that somebody asked for.
 */
export function circuitHops({ connections, circuits }: NodeStatus): ReadonlySet<string> {
  const byId = new Map(connections.map((connection) => [connection.id, connection]));
  const paths = [...circuits.map(({ hops }) => hops), ...connections.flatMap(({ hops }) => (hops === undefined ? [] : [hops]))].map(
    (hops) => hops.map(({ peerId }) => peerId as string),
  );
  const isHop = (connection: ConnectionStatus): boolean => {
    if (connection.kind !== 'relayed' || connection.role !== 'initiator' || !connection.anonymous) return false;
    const way = [...connection.carriers.map((id) => byId.get(id)?.peerId).toReversed(), connection.peerId];
    return paths.some((path) => path.length >= way.length && way.every((peerId, index) => peerId === path[index]));
  };
  return new Set(connections.filter(isHop).map(({ id }) => id));
}
