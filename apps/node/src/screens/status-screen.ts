import type { ConnectionStatus, RelayLinkStatus } from '@matryoshka/node';
import type { DaemonStatus } from '../daemon/status.ts';
import { formatBytes, formatDuration, formatRate } from '../quantities.ts';
import { table } from './table.ts';

/** What people see of a status; with rates where there is an earlier one. */
export function statusScreen(now: DaemonStatus, before?: DaemonStatus): string {
  const { node } = now;
  const lines = [
    `peer id      ${node.peerId}`,
    `listening    ${node.listening.length === 0 ? 'nowhere' : node.listening.join(', ')}`,
    `relaying     ${node.relayEnabled ? 'on' : 'off'}, ${formatBytes(node.relayMemory.takenBytes)} of ${formatBytes(node.relayMemory.totalBytes)} taken`,
    `running      ${formatDuration(Math.max(0, Date.now() - now.startedAtMs) / 1000)}, process ${now.pid}, version ${now.version}`,
    ...(now.needRestart.length === 0 ? [] : [`restart      needed for ${now.needRestart.join(', ')}`]),
  ];
  const elapsedMs = now.atMs - (before?.atMs ?? now.atMs);
  return `${lines.join('\n')}\n\n${connectionTable(node.connections, before?.node.connections, elapsedMs)}\n${relayTable(node.relayLinks, before?.node.relayLinks, elapsedMs)}`;
}

/** Connections as people see them; with rates where there is an earlier status. */
export function connectionTable(
  connections: readonly ConnectionStatus[],
  before: readonly ConnectionStatus[] = [],
  elapsedMs: number = 0,
): string {
  if (connections.length === 0) return 'no connections\n';
  const rates = connections.map(({ id, bytesSent, bytesReceived }) => {
    const earlier = before.find((connection) => connection.id === id);
    return earlier === undefined ? '' : rateText(bytesSent + bytesReceived - earlier.bytesSent - earlier.bytesReceived, elapsedMs);
  });
  return table(
    ['id', 'kind', 'state', 'opened', 'sent', 'received', 'rate', 'peer', 'at'],
    connections.map(({ id, kind, state, role, peerId, remote, authenticated, bytesSent, bytesReceived }, index) => [
      id,
      kind,
      state,
      role === 'initiator' ? 'here' : 'there',
      formatBytes(bytesSent),
      formatBytes(bytesReceived),
      rates[index] ?? '',
      peerId === undefined ? 'anonymous' : `${peerId}${authenticated ? '' : ' (unverified)'}`,
      remote,
    ]),
  );
}

function rateText(bytes: number, elapsedMs: number): string {
  return elapsedMs <= 0 ? '' : formatRate((Math.max(0, bytes) * 1000) / elapsedMs);
}

/** Circuits with their hops, the far end last. */
export function circuitTable(circuits: readonly ConnectionStatus[]): string {
  if (circuits.length === 0) return 'no circuits\n';
  return table(
    ['id', 'state', 'hop', 'peer', 'at'],
    circuits.flatMap(({ id, state, hops = [] }) =>
      hops.map(({ peerId, endpoint }, index) => [index === 0 ? id : '', index === 0 ? state : '', String(index + 1), peerId, endpoint]),
    ),
  );
}

function relayTable(links: readonly RelayLinkStatus[], before: readonly RelayLinkStatus[] = [], elapsedMs: number): string {
  if (links.length === 0) return 'no relay links of others\n';
  const rate = (link: RelayLinkStatus): string => {
    const earlier = before.find(({ port }) => port === link.port);
    if (earlier === undefined) return '';
    return rateText(link.bytesForward + link.bytesBackward - earlier.bytesForward - earlier.bytesBackward, elapsedMs);
  };
  return table(
    ['relay link', 'state', 'from', 'to', 'hops left', 'forward', 'backward', 'rate'],
    links.map((link) => [
      link.port,
      link.state,
      link.previousHop.endpoint,
      link.nextHop?.endpoint ?? '',
      String(link.hopsLeft),
      formatBytes(link.bytesForward),
      formatBytes(link.bytesBackward),
      rate(link),
    ]),
  );
}
