import type { AcceptRequest, ConnectionStatus, MatryoshkaNode } from '@matryoshka/node';
import { connectionStatus, formatEndpoint, formatStaticKey } from '@matryoshka/node';
import { reportError } from './describe-error.ts';
import type { Output } from './output.ts';

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
  const staticKey = formatStaticKey(node.staticKey);
  const name = node.access().access.hidden ? `${peerId}+${staticKey}` : peerId;
  output.event(
    { event: 'ready', peerId, staticKey, listening, relayEnabled },
    options.quiet === true ? undefined : readyText(peerId, name, listening),
  );
  node.on('connection', (connection) => {
    const status = connectionStatus(connection);
    output.event({ event: 'connection', connection: status });
    note(`${status.kind} connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)}`);
  });
  node.on('suspended', ({ connection, reason }) => {
    const status = connectionStatus(connection);
    output.event({ event: 'suspended', connection: status, reason: reportError(reason) });
    note(`connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)} is interrupted: ${reason.message}`);
  });
  node.on('resumed', ({ connection }) => {
    const status = connectionStatus(connection);
    output.event({ event: 'resumed', connection: status });
    note(`connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)} goes on`);
  });
  node.on('path-changed', ({ connection, gateway, reason }) => {
    const status = connectionStatus(connection);
    output.event({ event: 'path-changed', connection: status, gateway: gateway ?? null, reason: reportError(reason) });
    note(`connection ${status.role === 'initiator' ? 'to' : 'from'} ${peerText(status)} has another path: ${reason.message}`);
  });
  node.on('registration', (registration) => {
    output.event({ event: 'registration', registration });
    note(
      `registration with ${registration.relay}: ${registration.state}${registration.error === undefined ? '' : `, ${registration.error}`}`,
    );
  });
  node.on('descriptor-refused', ({ peerId: from, reason }) => {
    output.event({ event: 'descriptor-refused', peerId: from, reason: reportError(reason) });
    note(`${from} passed on a descriptor that was refused: ${reason.message}`);
  });
  node.on('disconnected', ({ connection, reason }) => {
    const status = connectionStatus(connection);
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

function readyText(peerId: string, name: string, listening: readonly string[]): string {
  return [`peer id ${peerId}`, ...listening.map((endpoint) => `listening on ${endpoint}: ${name}@${endpoint}`)].join('\n');
}
