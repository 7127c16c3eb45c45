import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { live } from '../store/page.ts';
import { VIEWS, type View, formatPlace, go, place } from '../store/place.ts';

export const TITLES: Readonly<Record<View, string>> = {
  'map': 'Map',
  'connections': 'Connections',
  'circuits': 'Circuits',
  'relay-links': 'Relay links',
  'events': 'Events',
  'configuration': 'Configuration',
  'limits': 'Limits',
};

export function Navigation(): ComponentChild {
  const current = place.value.view;
  const list = useRef<HTMLUListElement>(null);
  const told = live.status.value !== undefined;
  // Where they do not all have room, one sees where one is; numbers that come later take room, too.
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [current, told]);
  return (
    <nav class="navigation" aria-label="Views">
      <ul ref={list}>
        {VIEWS.map((view) => (
          <li key={view}>
            <a
              href={`#${formatPlace({ view, selection: undefined, station: undefined })}`}
              aria-current={view === current ? 'page' : undefined}
              onClick={(event) => {
                event.preventDefault();
                go({ view });
              }}
            >
              {TITLES[view]}
              <Count of={view} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Count({ of }: { readonly of: View }): ComponentChild {
  const node = live.status.value?.node;
  if (node === undefined) return null;
  const counts: Partial<Record<View, number>> = {
    'connections': node.connections.length,
    'circuits': node.connections.filter(({ hops }) => hops !== undefined).length + node.circuits.filter(({ users }) => users === 0).length,
    'relay-links': node.relayLinks.length,
  };
  const count = counts[of];
  return count === undefined || count === 0 ? null : <span class="count">{count.toLocaleString('en')}</span>;
}
