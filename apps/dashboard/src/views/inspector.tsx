import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { relayLinkKey } from '../model/map.ts';
import { live } from '../store/page.ts';
import { place } from '../store/place.ts';
import { InspectConnection } from './inspect-connection.tsx';
import { InspectPeer } from './inspect-peer.tsx';
import { InspectRelayLink } from './inspect-relay-link.tsx';
import { InspectorTitle } from './inspector-title.tsx';
import { Surroundings } from './surroundings.tsx';

/** Where it has its place below all else, as in style/frame.css. */
const NARROW = '(max-width: 1000px)';

/** What is looked at more closely; else all that there is around this node. */
export function Inspector(): ComponentChild {
  const { selection } = place.value;
  const aside = useRef<HTMLElement>(null);
  const shown = useRef(selection);
  useEffect(() => {
    if (shown.current === selection) return;
    shown.current = selection;
    // Whoever chose by a button that is gone now goes on here; and so does who has it below the edge of a narrow window.
    if (document.activeElement === document.body) aside.current?.focus({ preventScroll: true });
    if (selection !== undefined && matchMedia(NARROW).matches) aside.current?.scrollIntoView();
  }, [selection]);
  return (
    <aside
      ref={aside}
      tabIndex={-1}
      class="card inspector"
      aria-label={selection === undefined ? 'Around this node' : 'Looked at more closely'}
    >
      {selection === undefined ? <Surroundings /> : <Selected kind={selection.kind} id={selection.id} />}
    </aside>
  );
}

function Selected({ kind, id }: { readonly kind: 'peer' | 'connection' | 'relay-link'; readonly id: string }): ComponentChild {
  const node = live.status.value?.node;
  if (kind === 'peer') return <InspectPeer id={id} />;
  if (kind === 'connection') {
    const connection = node?.connections.find((each) => each.id === id);
    return connection === undefined ? <Gone what="This connection" /> : <InspectConnection connection={connection} />;
  }
  const link = node?.relayLinks.find((each) => relayLinkKey(each) === id);
  return link === undefined ? <Gone what="This relay link" /> : <InspectRelayLink link={link} />;
}

function Gone({ what }: { readonly what: string }): ComponentChild {
  return (
    <>
      <InspectorTitle over="Not there" title={`${what} is over`} />
      <p class="muted">The events tell when and why.</p>
    </>
  );
}
