import type { ComponentChild } from 'preact';
import { plural } from '../model/format.ts';
import { connectionKey } from '../model/map.ts';
import { hopIds, live, map, names } from '../store/page.ts';
import { go, select } from '../store/place.ts';
import { endOf } from './connections-view.tsx';
import { Hops } from './circuits-view.tsx';
import { DemoRelays } from './demo-relays.tsx';
import { Rates } from './parts.tsx';
import { RelayLinkChoices } from './relay-link-choices.tsx';

/** As many of each are listed beside the map; the views have all. */
const MOST = 8;

/** Everything on the map, as lists. */
export function Surroundings(): ComponentChild {
  const node = live.status.value?.node;
  const peers = map.value?.nodes.filter(({ kind, state }) => kind !== 'you' && state === 'present') ?? [];
  const paths = node?.connections.filter(({ id, kind, role }) => kind !== 'direct' && role === 'initiator' && !hopIds.value.has(id)) ?? [];
  const links = node?.relayLinks ?? [];
  return (
    <div class="surroundings">
      <DemoRelays />
      <section>
        <h2>{plural(paths.length, 'path')} of this node</h2>
        {paths.length === 0 && <p class="muted">Connections through relays and circuits appear here.</p>}
        <ul class="choices">
          {paths.slice(0, MOST).map((connection) => (
            <li key={connection.id}>
              <button type="button" onClick={() => select({ kind: 'connection', id: connection.id })}>
                <span class="choice-name">
                  To {endOf(connection)} <span class={`tag tag-${connection.kind}`}>{connection.kind}</span>
                </span>
                {connection.hops !== undefined && <Hops hops={connection.hops} />}
                <Rates of={connectionKey(connection.id)} />
              </button>
            </li>
          ))}
        </ul>
        {paths.length > MOST && <More view="connections" count={paths.length - MOST} />}
      </section>
      <section>
        <h2>{plural(links.length, 'relay link')} for others</h2>
        {links.length === 0 && (
          <p class="muted">{node?.relayEnabled === true ? 'Nothing is forwarded now.' : 'This node does not relay.'}</p>
        )}
        <RelayLinkChoices links={links.slice(0, MOST)} />
        {links.length > MOST && <More view="relay-links" count={links.length - MOST} />}
      </section>
      <section>
        <h2>{plural(peers.length, 'peer')}</h2>
        <ul class="peers">
          {peers.map(({ id, peerId, count, distance }) => (
            <li key={id}>
              <button type="button" title={peerId} onClick={() => select({ kind: 'peer', id })}>
                {peerId === undefined ? (count === 1 ? 'someone' : plural(count, 'stranger')) : names.value.of(peerId)}
                <span class="muted">{distance === 1 ? '' : ` ${distance} hops`}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function More({ view, count }: { readonly view: 'connections' | 'relay-links'; readonly count: number }): ComponentChild {
  return (
    <button type="button" class="link" onClick={() => go({ view })}>
      {count.toLocaleString('en')} more
    </button>
  );
}
