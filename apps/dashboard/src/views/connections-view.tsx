import type { ConnectionStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { formatBytes, formatMs } from '../model/format.ts';
import { connectionKey } from '../model/map.ts';
import { hopIds, live, names } from '../store/page.ts';
import { place, select } from '../store/place.ts';
import { Rates, StateMark } from './parts.tsx';
import { type Column, Table } from './table.tsx';

/** Who is at the other end, as far as it has said. */
export function endOf({ peerId, remote }: ConnectionStatus): string {
  return peerId === undefined ? `someone at ${remote}` : names.value.of(peerId);
}

/** How it gets there, and for what. */
export function kindOf({ id, kind }: ConnectionStatus): string {
  return hopIds.value.has(id) ? 'hop of a circuit' : kind;
}

const COLUMNS: readonly Column<ConnectionStatus>[] = [
  { title: 'With', cell: endOf },
  { title: 'Kind', cell: kindOf },
  { title: 'State', cell: ({ state }) => <StateMark state={state} /> },
  { title: 'Opened by', cell: ({ role }) => (role === 'initiator' ? 'this node' : 'the other side'), minor: true },
  { title: 'Address', cell: ({ remote }) => <code>{remote}</code>, minor: true },
  { title: 'Now', cell: ({ id }) => <Rates of={connectionKey(id)} />, numeric: true },
  { title: 'In all', cell: ({ bytesSent, bytesReceived }) => formatBytes(bytesSent + bytesReceived), numeric: true, minor: true },
  { title: 'Round trip', cell: ({ roundTripMs, hops }) => formatMs(hops?.at(-1)?.roundTripMs ?? roundTripMs), numeric: true },
];

export function ConnectionsView(): ComponentChild {
  const { selection } = place.value;
  return (
    <Table
      caption="Connections"
      rows={live.status.value?.node.connections ?? []}
      keyOf={({ id }) => id}
      columns={COLUMNS}
      textOf={(row) => [endOf(row), row.peerId, kindOf(row), row.state, row.remote].join(' ')}
      onChoose={({ id }) => select({ kind: 'connection', id })}
      isChosen={({ id }) => selection?.kind === 'connection' && selection.id === id}
      nothing="This node is connected to nobody."
    />
  );
}
