import type { ComponentChild } from 'preact';
import { formatRate } from '../model/format.ts';
import { live, names } from '../store/page.ts';
import { select } from '../store/place.ts';

/** A peer by its name; the whole id is there for whoever points at it. */
export function PeerName({ of }: { readonly of: string }): ComponentChild {
  return <span title={of}>{names.value.of(of)}</span>;
}

export function StateMark({ state }: { readonly state: string }): ComponentChild {
  const good = state === 'open' || state === 'running' || state === 'registered';
  return (
    <span class={`state ${good ? 'state-good' : state === 'closed' || state === 'down' ? 'state-bad' : 'state-waiting'}`}>{state}</span>
  );
}

/** What goes out and comes in now, by its counters. */
export function Rates({ of }: { readonly of: string }): ComponentChild {
  const { sent, received } = live.look.value === 0 ? { sent: 0, received: 0 } : live.meter.rate(of);
  return (
    <span class="rates">
      <span title="sent">↑ {formatRate(sent)}</span> <span title="received">↓ {formatRate(received)}</span>
    </span>
  );
}

export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChild])[] }): ComponentChild {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A peer to look at more closely. */
export function PeerLink({ id }: { readonly id: string }): ComponentChild {
  return (
    <button type="button" class="link" title={id} onClick={() => select({ kind: 'peer', id })}>
      {names.value.of(id)}
    </button>
  );
}
