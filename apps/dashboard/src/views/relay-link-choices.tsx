import type { RelayLinkStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { relayLinkKey } from '../model/map.ts';
import { select } from '../store/place.ts';
import { Rates } from './parts.tsx';
import { neighbourName } from './relay-links-view.tsx';

/** Relay links to choose from, each with what it carries now. */
export function RelayLinkChoices({ links }: { readonly links: readonly RelayLinkStatus[] }): ComponentChild {
  return (
    <ul class="choices">
      {links.map((link) => (
        <li key={relayLinkKey(link)}>
          <button type="button" onClick={() => select({ kind: 'relay-link', id: relayLinkKey(link) })}>
            <span class="choice-name">
              {neighbourName(link.previousHop)} → {neighbourName(link.nextHop)}
            </span>
            <Rates of={relayLinkKey(link)} />
          </button>
        </li>
      ))}
    </ul>
  );
}
