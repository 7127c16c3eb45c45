import type { AcceptRequest, Connection, ConnectionStatus, MatryoshkaNode } from '@matryoshka/node';
import { formatEndpoint } from '@matryoshka/node';
import { reportError } from './describe-error.ts';
import type { Output } from './output.ts';

/** What a node knows of one of its connections, ready for JSON. It must be open or have been so. */
export function connectionStatusOf(node: MatryoshkaNode, connection: Connection): ConnectionStatus {
  const listed = node.status().connections.find(({ id }) => id === connection.id);
  if (listed !== undefined) return listed;
  const { id, kind, role, peerId, authenticated, nesting, relaying } = connection;
  return {
    id,
    kind,
    role,
    peerId,
    authenticated,
    nesting,
    relaying,
    local: formatEndpoint(connection.local),
    remote: formatEndpoint(connection.remote),
  };
}

/** Whom a line names: by id where it was shown. */
export function peerText({ peerId, remote }: Pick<ConnectionStatus, 'peerId' | 'remote'>): string {
  return peerId === undefined ? `someone at ${remote}` : `${peerId}@${remote}`;
}

/** Tells the output what happens to a node, from now on; people only where the node itself is what they run. */
export function reportNode(node: MatryoshkaNode, output: Output, options: { readonly quiet?: boolean } = {}): void {
  const note = (line: string): void => {
    if (options.quiet !== true) output.note(line);
  };
  const { peerId, listening, relayEnabled } = node.status();
  output.event({ event: 'ready', peerId, listening, relayEnabled }, options.quiet === true ? undefined : readyText(peerId, listening));
  node.on('connection', (connection) => {
    const status = connectionStatusOf(node, connection);
    output.event({ event: 'connection', connection: status });
    note(`${status.kind} connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)}`);
  });
  node.on('disconnected', ({ connection, reason }) => {
    const status = connectionStatusOf(node, connection);
    output.event({ event: 'disconnected', connection: status, reason: reportError(reason) });
    note(`connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)} is over: ${reason.message}`);
  });
  node.on('relay', ({ event, link }) => {
    output.event({ event: `relay-${event}`, link });
    note(`relay link ${link.port} ${event}`);
  });
}

/** Tells the output that a relay link that ends here is accepted. */
export function reportAccepted(output: Output, { previousHop, endpoint, relayPort }: AcceptRequest): void {
  output.event({
    event: 'relay-accepted',
    previousHop: previousHop ?? null,
    endpoint: formatEndpoint(endpoint),
    relayPort: String(relayPort),
  });
}

function readyText(peerId: string, listening: readonly string[]): string {
  return [`peer id ${peerId}`, ...listening.map((endpoint) => `listening on ${endpoint}: ${peerId}@${endpoint}`)].join('\n');
}
