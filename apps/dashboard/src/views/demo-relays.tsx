import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { DemoRelay } from '../api/types.ts';
import { live } from '../store/page.ts';
import { PeerLink, StateMark } from './parts.tsx';

/** The relays of the living demo, each to be killed. Nothing where this is no demo. */
export function DemoRelays(): ComponentChild {
  const relays = live.demo.value?.relays;
  if (relays === undefined) return null;
  return (
    <section aria-label="Relays of the demo">
      <h2>Kill a relay of the demo</h2>
      <p class="muted">
        Its process ends at once. Connections through it go another way and lose nothing; after a while it is started again.
      </p>
      <ul class="demo-relays">
        {relays.map((relay) => (
          <li key={relay.peerId}>
            <PeerLink id={relay.peerId} />
            <StateMark state={relay.state} />
            <KillButton relay={relay} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function KillButton({ relay, long = false }: { readonly relay: DemoRelay; readonly long?: boolean }): ComponentChild {
  const [fault, setFault] = useState<string>();
  const kill = (): void => {
    setFault(undefined);
    live
      .post('/demo/kill', { peerId: relay.peerId })
      .catch((error: unknown) => setFault(error instanceof Error ? error.message : String(error)));
  };
  return (
    <>
      <button type="button" class="danger" disabled={relay.state === 'down'} onClick={kill} aria-label={`Kill relay ${relay.name}`}>
        {long ? 'Kill this relay' : 'Kill'}
      </button>
      {fault !== undefined && (
        <span class="fault" role="alert">
          {fault}
        </span>
      )}
    </>
  );
}
