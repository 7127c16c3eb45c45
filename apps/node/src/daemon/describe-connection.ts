import { type Connection, connectionStatus, formatEndpoint } from '@matryoshka/node';
import type { DescribedConnection } from './status.ts';

/** A connection, with the hops of its circuit where it has one. */
export function describeConnection(connection: Connection): DescribedConnection {
  const hops = connection.hops?.map(({ peerId, endpoint }) => ({ peerId, endpoint: formatEndpoint(endpoint) }));
  return { ...connectionStatus(connection), ...(hops !== undefined && { hops }) };
}
