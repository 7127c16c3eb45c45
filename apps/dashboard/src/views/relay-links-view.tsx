import type { NeighbourStatus, RelayLinkStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { formatBytes } from '../model/format.ts';
import { relayLinkKey } from '../model/map.ts';
import { live, names } from '../store/page.ts';
import { place, select } from '../store/place.ts';
import { Rates, StateMark } from './parts.tsx';
import { type Column, Table } from './table.tsx';

export function neighbourName(neighbour: NeighbourStatus | undefined): string {
  if (neighbour === undefined) return '…';
  return neighbour.peerId === undefined ? `someone at ${neighbour.endpoint}` : names.value.of(neighbour.peerId);
}

const COLUMNS: readonly Column<RelayLinkStatus>[] = [
  { title: 'From and to', cell: ({ previousHop, nextHop }) => `${neighbourName(previousHop)} → ${neighbourName(nextHop)}` },
  { title: 'State', cell: ({ state }) => <StateMark state={state} /> },
  { title: 'Hops left', cell: ({ hopsLeft }) => hopsLeft, numeric: true },
  { title: 'Destination', cell: ({ destination }) => <code class="clipped">{destination}</code>, minor: true },
  { title: 'Now', cell: (link) => <Rates of={relayLinkKey(link)} />, numeric: true },
  { title: 'In all', cell: ({ bytesForward, bytesBackward }) => formatBytes(bytesForward + bytesBackward), numeric: true, minor: true },
];

export function RelayLinksView(): ComponentChild {
  const node = live.status.value?.node;
  const { selection } = place.value;
  return (
    <Table
      caption="Relay links"
      rows={node?.relayLinks ?? []}
      keyOf={relayLinkKey}
      columns={COLUMNS}
      textOf={(row) => [neighbourName(row.previousHop), neighbourName(row.nextHop), row.destination, row.state, row.port].join(' ')}
      onChoose={(row) => select({ kind: 'relay-link', id: relayLinkKey(row) })}
      isChosen={(row) => selection?.kind === 'relay-link' && selection.id === relayLinkKey(row)}
      nothing={
        node?.relayEnabled === true ? 'This node forwards nothing for others now.' : 'This node does not relay: relay.enabled is off.'
      }
    />
  );
}
