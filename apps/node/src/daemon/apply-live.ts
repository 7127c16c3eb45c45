import type { MatryoshkaNode } from '@matryoshka/node';
import type { Config } from '../config/config.ts';

/** Options of the node's door: `updateAccess` takes these, and everything under `access`. */
const DOOR = ['acceptAnonymous', 'maxHandshakes'] as const;

/** Makes what is live of `next` count on a running node. @throws MatryoshkaError `config.invalid`; then nothing changes */
export function applyLiveOptions(node: MatryoshkaNode, before: Config, next: Config): void {
  const changed = before.changesTo(next).filter(({ live, nodeOption }) => live && nodeOption);
  if (changed.some(({ path }) => path.startsWith('access.') || (DOOR as readonly string[]).includes(path))) {
    const { access, acceptAnonymous, maxHandshakes } = next.effectiveNodeOptions();
    // What is not there any more has to be said, too.
    node.updateAccess({ ...access, allowPeers: access.allowPeers, acceptAnonymous, maxHandshakes });
  }
  if (changed.some(({ path }) => path.startsWith('relay.limits.'))) node.updateRelayLimits(next.effectiveNodeOptions().relay.limits);
  if (changed.some(({ path }) => path === 'relay.enabled')) node.setRelayEnabled(next.effectiveNodeOptions().relay.enabled);
  if (changed.some(({ path }) => path === 'traffic')) node.updateTraffic(next.effectiveNodeOptions().traffic);
}
