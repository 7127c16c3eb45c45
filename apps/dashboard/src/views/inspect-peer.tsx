import type { ComponentChild } from 'preact';
import { HistoryChart } from '../charts/history-chart.tsx';
import { formatMs, plural } from '../model/format.ts';
import { type MapNode, connectionKey } from '../model/map.ts';
import { hopIds, live, map, names } from '../store/page.ts';
import { select } from '../store/place.ts';
import { endOf } from './connections-view.tsx';
import { KillButton } from './demo-relays.tsx';
import { InspectorTitle } from './inspector-title.tsx';
import { Facts, Rates, StateMark } from './parts.tsx';
import { RelayLinkChoices } from './relay-link-choices.tsx';

/** As many relay links of a peer are listed. */
const MOST = 20;

export function InspectPeer({ id }: { readonly id: string }): ComponentChild {
  const node = map.value?.nodes.find((each) => each.id === id);
  if (node === undefined) return <InspectorTitle over="Peer" title={names.value.of(id)} detail={`${id}: not there now`} />;
  if (node.kind === 'you') return <ThisNode />;
  return <Peer node={node} />;
}

function Peer({ node }: { readonly node: MapNode }): ComponentChild {
  const { id, peerId, state, relays, distance, count, behind } = node;
  const status = live.status.value;
  const edges = map.value?.edges.filter(({ source, target }) => source === id || target === id) ?? [];
  const ids = new Set(edges.flatMap(({ connections }) => connections));
  const connections =
    status?.node.connections.filter(
      (connection) => !hopIds.value.has(connection.id) && (ids.has(connection.id) || connection.peerId === id),
    ) ?? [];
  const direct = connections.find(({ kind, peerId: end }) => kind === 'direct' && (end === peerId || connectionKey(id) === id));
  const links = status?.node.relayLinks.filter(({ previousHop, nextHop }) => previousHop.peerId === id || nextHop?.peerId === id) ?? [];
  const relay = live.demo.value?.relays.find((each) => each.peerId === peerId);
  const reputation = status?.access.reputations.find((each) => each.peerId === peerId)?.score ?? 100;
  return (
    <>
      <InspectorTitle
        over={relays ? 'Peer that relays' : 'Peer'}
        title={peerId === undefined ? (count === 1 ? 'Someone' : plural(count, 'stranger')) : names.value.of(peerId)}
        {...(peerId !== undefined && { detail: peerId })}
      />
      {relay !== undefined && (
        <p class="kill">
          <StateMark state={relay.state} /> <KillButton relay={relay} long />
        </p>
      )}
      <Facts
        facts={[
          ['Way there', state === 'present' ? (distance === 1 ? 'direct' : `${distance} hops`) : 'none now'],
          ...(behind === undefined ? [] : ([['Behind', names.value.of(behind)]] as const)),
          ...(peerId === undefined ? ([['Identity', 'none was shown']] as const) : ([['Reputation', reputation]] as const)),
          ...(direct === undefined
            ? []
            : ([
                ['Address', <code>{direct.remote}</code>],
                ['Round trip', formatMs(direct.roundTripMs)],
              ] as const)),
        ]}
      />
      {direct !== undefined && <HistoryChart of={connectionKey(direct.id)} kind="rate" title="Traffic on the direct connection" />}
      {direct !== undefined && <HistoryChart of={connectionKey(direct.id)} kind="latency" title="Round trip" />}
      <section>
        <h3>{plural(connections.length, 'connection')} with it or through it</h3>
        <ul class="choices">
          {connections.slice(0, MOST).map((connection) => (
            <li key={connection.id}>
              <button type="button" onClick={() => select({ kind: 'connection', id: connection.id })}>
                <span class="choice-name">
                  {connection.role === 'initiator' ? 'To' : 'From'} {endOf(connection)}{' '}
                  <span class={`tag tag-${connection.kind}`}>{connection.kind}</span>
                </span>
                <Rates of={connectionKey(connection.id)} />
              </button>
            </li>
          ))}
        </ul>
      </section>
      {links.length > 0 && (
        <section>
          <h3>{plural(links.length, 'relay link')} forwarded from or to it</h3>
          <RelayLinkChoices links={links.slice(0, MOST)} />
        </section>
      )}
    </>
  );
}

function ThisNode(): ComponentChild {
  const status = live.status.value;
  if (status === undefined) return null;
  const { node } = status;
  return (
    <>
      <InspectorTitle over="This node" title={names.value.of(node.peerId)} detail={node.peerId} />
      <Facts
        facts={[
          ['Listens at', node.listening.length === 0 ? 'nowhere' : node.listening.map((each) => <code key={each}>{each} </code>)],
          ['Relays for others', node.relayEnabled ? 'yes' : 'no'],
          ['Registered peers', node.registeredPeers.length],
          ['Data folder', <code>{status.dataFolder}</code>],
          ['Process', status.pid],
        ]}
      />
      {node.registrations.length > 0 && (
        <section>
          <h3>Reached through</h3>
          <ul class="plain-list">
            {node.registrations.map(({ relay, address, state }) => (
              <li key={relay}>
                <code class="identity">{address}</code> <StateMark state={state} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
