import type { AccessUpdate, MatryoshkaNode } from '@matryoshka/node';
import { type Config, valueAt } from '../config/config.ts';

/** Options of the node's door: `updateAccess` takes these, and everything under `access`. */
const DOOR = ['acceptAnonymous', 'maxHandshakes'] as const;

/** Makes what is live of `next` count on a running node. @throws MatryoshkaError `config.invalid`; then nothing changes */
export function applyLiveOptions(node: MatryoshkaNode, before: Config, next: Config): void {
  const changed = before.changesTo(next).filter(({ live, nodeOption }) => live && nodeOption);
  if (changed.some(({ path }) => path.startsWith('access.') || (DOOR as readonly string[]).includes(path))) {
    const all = next.effectiveNodeOptions();
    const { allowPeers, ...access } = (valueAt(all, 'access') ?? {}) as NonNullable<AccessUpdate>;
    node.updateAccess({ ...access, allowPeers, acceptAnonymous: all.acceptAnonymous, maxHandshakes: all.maxHandshakes } as AccessUpdate);
  }
  if (changed.some(({ path }) => path === 'relay.enabled')) node.setRelayEnabled(next.effectiveNodeOptions().relay.enabled);
}
