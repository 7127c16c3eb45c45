import type { RelayLinkStatus } from '@matryoshka/node';
import type { ComponentChild } from 'preact';
import { HistoryChart } from '../charts/history-chart.tsx';
import { PathView } from '../doll/path-view.tsx';
import { formatBytes } from '../model/format.ts';
import { anatomyOfRelayLink } from '../model/knowledge.ts';
import { relayLinkKey } from '../model/map.ts';
import { names } from '../store/page.ts';
import { InspectorTitle } from './inspector-title.tsx';
import { Facts, StateMark } from './parts.tsx';
import { neighbourName } from './relay-links-view.tsx';

export function InspectRelayLink({ link }: { readonly link: RelayLinkStatus }): ComponentChild {
  const { previousHop, nextHop, state, hopsLeft, bytesForward, bytesBackward } = link;
  return (
    <>
      <InspectorTitle over="Relay link for others" title={`${neighbourName(previousHop)} → ${neighbourName(nextHop)}`} />
      <PathView anatomy={anatomyOfRelayLink(link, (each) => names.value.of(each))} />
      <Facts
        facts={[
          ['State', <StateMark state={state} />],
          ['Hops left', hopsLeft],
          ['Forward, back', `${formatBytes(bytesForward)}, ${formatBytes(bytesBackward)}`],
        ]}
      />
      <HistoryChart of={relayLinkKey(link)} kind="rate" title="Forward and back" />
    </>
  );
}
