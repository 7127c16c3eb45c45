import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Configuration, Setting } from '../api/types.ts';
import { live } from '../store/page.ts';
import { type Column, Table } from './table.tsx';

const COLUMNS: readonly Column<Setting>[] = [
  {
    title: 'Key',
    cell: ({ path, about }) => (
      <>
        <code class="key-path">{path}</code>
        <span class="about">{about}</span>
      </>
    ),
  },
  { title: 'Value', cell: ({ value }) => <code class="value">{shown(value)}</code> },
  { title: 'From', cell: ({ origin }) => <span class={origin === 'default' ? 'origin muted' : 'origin'}>{origin}</span> },
  { title: 'A change counts', cell: ({ live: atOnce }) => (atOnce ? 'at once' : 'after a restart'), minor: true },
];

export function ConfigurationView(): ComponentChild {
  const configuration = useConfiguration();
  const needRestart = live.status.value?.needRestart ?? [];
  if (configuration === undefined) return <p class="waiting">Asking the node…</p>;
  const { settings } = configuration;
  // What somebody has set comes first.
  const rows = settings.toSorted((a, b) => Number(a.origin === 'default') - Number(b.origin === 'default'));
  return (
    <>
      <p class="muted">
        File <code>{live.status.value?.configFile}</code>
      </p>
      {needRestart.length > 0 && <p class="notice">Changed, and counts from the next start on: {needRestart.join(', ')}</p>}
      <Table
        caption="Configuration"
        rows={rows}
        keyOf={({ path }) => path}
        columns={COLUMNS}
        textOf={({ path, value, origin, about }) => [path, shown(value), origin, about].join(' ')}
        stacks
        nothing="There are no keys."
      />
    </>
  );
}

/** The configuration as it is now, asked for again with each start of the node and when it was read again. */
export function useConfiguration(): Configuration | undefined {
  const configuration = useSignal<Configuration | undefined>(undefined);
  const status = live.status.value;
  const reloads = live.events.value.filter(({ event }) => event.event === 'reloaded').length;
  useEffect(() => {
    const left = new AbortController();
    live
      .get<Configuration>('/v1/config', left.signal)
      .then((answer) => (configuration.value = answer))
      // Where the node does not answer, the page says so by itself, and this comes again when it does.
      .catch(() => {});
    return () => left.abort();
  }, [status?.startedAtMs, reloads, live.standing.value.kind]);
  return configuration.value;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
