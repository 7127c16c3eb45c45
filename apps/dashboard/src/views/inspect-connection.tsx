import type { ConnectionStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { HistoryChart } from '../charts/history-chart.tsx';
import { PathView } from '../doll/path-view.tsx';
import { formatBytes, formatDuration, formatMs } from '../model/format.ts';
import { anatomyOfConnection } from '../model/knowledge.ts';
import { connectionKey } from '../model/map.ts';
import { live, names } from '../store/page.ts';
import { endOf } from './connections-view.tsx';
import { InspectorTitle } from './inspector-title.tsx';
import { Facts, PeerLink, StateMark } from './parts.tsx';

const KINDS = { direct: 'Direct connection', relayed: 'Relayed connection', telescoped: 'Circuit' } as const;

export function InspectConnection({ connection }: { readonly connection: ConnectionStatus }): ComponentChild {
  const { id, kind, peerId, remote, state, bytesSent, bytesReceived, streams, carriers, authenticated, traffic, role, limits } = connection;
  const connections = live.status.value?.node.connections ?? [];
  const gateway = connections.find((each) => each.id === carriers[0])?.peerId;
  const anatomy = anatomyOfConnection(connection, (each) => names.value.of(each), connections);
  const key = connectionKey(id);
  return (
    <>
      <InspectorTitle over={KINDS[kind]} title={endOf(connection)} {...(peerId !== undefined && { detail: peerId })} />
      <PathView anatomy={anatomy} />
      <Facts
        facts={[
          ['State', <StateMark state={state} />],
          ['Opened by', role === 'initiator' ? 'this node' : 'the other side'],
          ['Address', <code>{remote}</code>],
          ['Identity', authenticated ? 'proven' : 'not proven'],
          ['Sent, received', `${formatBytes(bytesSent)}, ${formatBytes(bytesReceived)}`],
          ['Streams', streams],
          ['Looks like', traffic.preset],
          ...(gateway === undefined || kind !== 'relayed' ? [] : ([['First relay', <PeerLink id={gateway} />]] as const)),
          ...(limits === undefined ? [] : ([['Relays allow', limitText(limits)]] as const)),
        ]}
      />
      <HistoryChart of={key} kind="rate" title="Traffic" />
      <HistoryChart of={key} kind="latency" title={kind === 'telescoped' ? 'Round trip to the far end' : 'Round trip'} />
      {connection.hops !== undefined && <HopTable hops={connection.hops} />}
    </>
  );
}

function HopTable({ hops }: { readonly hops: NonNullable<ConnectionStatus['hops']> }): ComponentChild {
  return (
    <section aria-labelledby="hops-title">
      <h3 id="hops-title">Hops as this node measures them</h3>
      <div class="table-scroll">
        <table class="compact">
          <thead>
            <tr>
              <th scope="col">Hop</th>
              <th scope="col">State</th>
              <th scope="col" class="numeric">
                Round trip
              </th>
              <th scope="col" class="numeric">
                Bytes
              </th>
              <th scope="col" class="numeric">
                Key age
              </th>
            </tr>
          </thead>
          <tbody>
            {hops.map(({ peerId, state, roundTripMs, bytesSent, bytesReceived, keyAgeMs }, index) => (
              <tr key={`${index}-${peerId}`}>
                <td>
                  <PeerLink id={peerId} />
                </td>
                <td>
                  <StateMark state={state} />
                </td>
                <td class="numeric">{formatMs(roundTripMs)}</td>
                <td class="numeric">{formatBytes(bytesSent + bytesReceived)}</td>
                <td class="numeric">{formatDuration(keyAgeMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function limitText(limits: object): string {
  const parts = Object.entries(limits).filter(([, value]) => Number(value) > 0);
  return parts.length === 0 ? 'without a limit' : parts.map(([name, value]) => `${name} ${String(value)}`).join(', ');
}
