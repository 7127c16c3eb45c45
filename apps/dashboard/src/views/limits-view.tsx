import type { ComponentChild } from 'preact';
import { formatBytes } from '../model/format.ts';
import { live } from '../store/page.ts';
import { useConfiguration } from './configuration-view.tsx';
import { Facts, PeerName } from './parts.tsx';
import { type Column, Table } from './table.tsx';

interface Limit {
  readonly path: string;
  readonly value: number;
  readonly about: string;
}

const COLUMNS: readonly Column<Limit>[] = [
  {
    title: 'Limit',
    cell: ({ path, about }) => (
      <>
        <code class="key-path">{path}</code>
        <span class="about">{about}</span>
      </>
    ),
  },
  { title: 'Is', cell: ({ path, value }) => quantity(path, value), numeric: true },
];

/** What is in use of what may be, and what was refused. */
export function LimitsView(): ComponentChild {
  const status = live.status.value;
  const limits = (useConfiguration()?.settings ?? []).flatMap(({ path, value, about }): Limit[] =>
    typeof value === 'number' ? [{ path, value, about }] : [],
  );
  if (status === undefined) return null;
  const { node, access } = status;
  const refusals = Object.entries(access.refusals).toSorted(([, a], [, b]) => b - a);
  return (
    <>
      <div class="gauges">
        <Gauge name="Memory for relaying" used={node.relayMemory.takenBytes} most={node.relayMemory.totalBytes} format={formatBytes} />
        <Gauge
          name="Accepted connections"
          used={access.openConnections}
          most={access.access.maxConnections}
          format={(count) => count.toLocaleString('en')}
        />
        <section class="card">
          <h2>Refused since the start</h2>
          {refusals.length === 0 ? <p class="muted">Nobody was turned away.</p> : <Facts facts={refusals} />}
        </section>
        <section class="card">
          <h2>Reputation below 100</h2>
          {access.reputations.length === 0 ? (
            <p class="muted">Nobody has misbehaved.</p>
          ) : (
            <ul class="plain-list">
              {access.reputations.map(({ peerId, score }) => (
                <li key={peerId}>
                  <PeerName of={peerId} /> {Math.round(score)}
                </li>
              ))}
            </ul>
          )}
        </section>
      </div>
      <h2>Configured</h2>
      <Table
        caption="Limits"
        rows={limits}
        keyOf={({ path }) => path}
        columns={COLUMNS}
        textOf={({ path, about }) => `${path} ${about}`}
        stacks
        nothing="Asking the node…"
      />
    </>
  );
}

interface GaugeParts {
  readonly name: string;
  readonly used: number;
  readonly most: number;
  readonly format: (value: number) => string;
}

function Gauge({ name, used, most, format }: GaugeParts): ComponentChild {
  return (
    <section class="card gauge">
      <h2>{name}</h2>
      <p class="gauge-value">
        {format(used)} <span class="muted">of {format(most)}</span>
      </p>
      <meter min={0} max={most} high={most * 0.8} value={used} aria-label={name} />
    </section>
  );
}

function quantity(path: string, value: number): string {
  if (/bytes/i.test(path) && value > 0) return formatBytes(value);
  return path.endsWith('Ms') ? `${value.toLocaleString('en')} ms` : value.toLocaleString('en');
}
