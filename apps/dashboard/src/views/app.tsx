import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { live } from '../store/page.ts';
import { type View, place, select } from '../store/place.ts';
import { Announcer } from './announcer.tsx';
import { Banner } from './banner.tsx';
import { CircuitsView } from './circuits-view.tsx';
import { ConfigurationView } from './configuration-view.tsx';
import { ConnectionsView } from './connections-view.tsx';
import { EventsView } from './events-view.tsx';
import { Gate } from './gate.tsx';
import { Header } from './header.tsx';
import { Inspector } from './inspector.tsx';
import { LimitsView } from './limits-view.tsx';
import { MapView } from './map-view.tsx';
import { Navigation, TITLES } from './navigation.tsx';
import { RelayLinksView } from './relay-links-view.tsx';

const VIEW: Readonly<Record<View, () => ComponentChild>> = {
  'map': MapView,
  'connections': ConnectionsView,
  'circuits': CircuitsView,
  'relay-links': RelayLinksView,
  'events': EventsView,
  'configuration': ConfigurationView,
  'limits': LimitsView,
};

/** Views beside which what is looked at more closely has its place. */
const INSPECTED: readonly View[] = ['map', 'connections', 'circuits', 'relay-links'];

export function App(): ComponentChild {
  const { kind } = live.standing.value;
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <Header />
      {kind === 'no-token' || kind === 'refused' ? <Gate /> : <Page />}
      <Announcer />
    </>
  );
}

function Page(): ComponentChild {
  const { view, selection } = place.value;
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && place.value.selection !== undefined) select(undefined);
    };
    window.addEventListener('keydown', escape);
    return () => window.removeEventListener('keydown', escape);
  }, []);
  useEffect(() => {
    document.title = `${TITLES[view]} · Matryoshka`;
  }, [view]);
  const Shown = VIEW[view];
  const inspected = INSPECTED.includes(view) && (view === 'map' || selection !== undefined);
  return (
    <>
      <Banner />
      <Navigation />
      <main id="content" tabIndex={-1} class={inspected ? 'with-inspector' : ''}>
        {live.status.value === undefined ? (
          <p class="waiting">Asking the node…</p>
        ) : (
          <>
            <div class="view">
              <h1 class={view === 'map' ? 'for-readers' : ''}>{TITLES[view]}</h1>
              <Shown />
            </div>
            {inspected && <Inspector />}
          </>
        )}
      </main>
    </>
  );
}

/** The fragment of the address is the place on this page, so the link does not lead there by itself. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
