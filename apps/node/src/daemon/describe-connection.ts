import { type Connection, connectionStatus } from '@matryoshka/node';
import type { DescribedConnection } from './status.ts';

/** A connection, with the hops of its circuit where it has one. */
export function describeConnection(connection: Connection): DescribedConnection {
  return connectionStatus(connection);
}
