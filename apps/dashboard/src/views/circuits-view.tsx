import type { CircuitHopStatus, CircuitStatus, ConnectionStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { formatMs } from '../model/format.ts';
import { connectionKey } from '../model/map.ts';
import { live } from '../store/page.ts';
import { place, select } from '../store/place.ts';
import { PeerName, Rates, StateMark } from './parts.tsx';
import { type Column, Table } from './table.tsx';

/** Hops in their order. */
export function Hops({ hops }: { readonly hops: readonly CircuitHopStatus[] }): ComponentChild {
  return (
    <span class="hops">
      {hops.map(({ peerId, state }, index) => (
        <span key={`${index}-${peerId}`} class={state === 'open' ? 'hop' : 'hop hop-broken'}>
          <PeerName of={peerId} />
        </span>
      ))}
    </span>
  );
}

const IN_USE: readonly Column<ConnectionStatus>[] = [
  { title: 'To', cell: ({ peerId }) => <PeerName of={peerId ?? 'someone'} /> },
  { title: 'Through', cell: ({ hops }) => <Hops hops={hops ?? []} /> },
  { title: 'State', cell: ({ state }) => <StateMark state={state} /> },
  { title: 'Now', cell: ({ id }) => <Rates of={connectionKey(id)} />, numeric: true },
  { title: 'Round trip', cell: ({ hops }) => formatMs(hops?.at(-1)?.roundTripMs), numeric: true },
];

const READY: readonly Column<CircuitStatus>[] = [
  { title: 'Relays', cell: ({ hops }) => <Hops hops={hops} /> },
  { title: 'Used by', cell: ({ users }) => (users === 0 ? 'nobody yet' : String(users)), numeric: true },
  { title: 'Round trip', cell: ({ hops }) => formatMs(hops.at(-1)?.roundTripMs), numeric: true },
];

export function CircuitsView(): ComponentChild {
  const node = live.status.value?.node;
  const { selection } = place.value;
  const built = node?.connections.filter(({ hops }) => hops !== undefined) ?? [];
  return (
    <>
      <Table
        caption="Circuits in use"
        rows={built}
        keyOf={({ id }) => id}
        columns={IN_USE}
        textOf={({ hops = [] }) => hops.map(({ peerId, endpoint }) => `${peerId} ${endpoint}`).join(' ')}
        onChoose={({ id }) => select({ kind: 'connection', id })}
        isChosen={({ id }) => selection?.kind === 'connection' && selection.id === id}
        nothing="No connection of this node goes through a circuit."
      />
      <h2>Chosen from the directory</h2>
      <Table
        caption="Circuits chosen from the directory"
        rows={node?.circuits ?? []}
        keyOf={({ hops }, index) => `${index} ${hops.map(({ peerId }) => peerId).join('>')}`}
        columns={READY}
        nothing="None is in use or kept ready; the first connection that asks for one has it built."
      />
    </>
  );
}
