import type { ComponentChild } from 'preact';
import { HistoryChart } from '../charts/history-chart.tsx';
import { ALL } from '../model/counters.ts';
import { formatRate } from '../model/format.ts';
import { live, map } from '../store/page.ts';
import { MapCanvas } from './map-canvas.tsx';

export function MapView(): ComponentChild {
  return (
    <>
      <Figures />
      <section class="card map-card" aria-label="Map of the network as this node knows it">
        <MapCanvas />
        <Legend />
      </section>
      <section class="card" aria-label="Traffic of this node">
        <HistoryChart of={ALL} kind="rate" title="Traffic of this node" />
      </section>
    </>
  );
}

function Figures(): ComponentChild {
  const node = live.status.value?.node;
  if (node === undefined || live.look.value === 0) return null;
  const { sent, received } = live.meter.rate(ALL);
  const figures: readonly (readonly [string, string])[] = [
    ['Peers', String(map.value?.nodes.filter(({ kind, state }) => kind === 'peer' && state === 'present').length ?? 0)],
    ['Connections', String(node.connections.length)],
    ['Circuits in use', String(node.connections.filter(({ hops }) => hops !== undefined).length)],
    ['Relay links', node.relayEnabled ? String(node.relayLinks.length) : 'off'],
    ['Sent', formatRate(sent)],
    ['Received', formatRate(received)],
  ];
  return (
    <dl class="figures">
      {figures.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Legend(): ComponentChild {
  return (
    <ul class="legend" aria-label="Legend">
      <li class="legend-own">Own traffic</li>
      <li class="legend-circuit">Circuits</li>
      <li class="legend-forwarded">Forwarded for others</li>
      <li class="legend-veiled">Over relays that others chose</li>
    </ul>
  );
}
