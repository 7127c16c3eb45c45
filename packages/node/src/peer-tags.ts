import type { Directory } from '@matryoshka/circuit';
import { operatorTag } from '@matryoshka/relay';
import type { PeerId } from '@matryoshka/session';

export interface PeerTagsParts {
  /** By peer id, as the user has said it. */
  readonly configured: Readonly<Record<string, readonly string[]>>;
  readonly self: PeerId;
  /** Who runs this node; empty: it does not say. */
  readonly operator: string;
  /** Once there is one. */
  readonly directory: () => Directory | undefined;
}

/** What routing policies are told of a peer: the user's own tags, and who runs it as its descriptor says. */
export function peerTags({ configured, self, operator, directory }: PeerTagsParts): (peerId: PeerId) => readonly string[] {
  return (peerId) => {
    const tags = Object.hasOwn(configured, peerId) ? (configured[peerId] ?? []) : [];
    const runBy = peerId === self ? operator : directory()?.get(peerId)?.body.operator;
    return runBy === undefined || runBy === '' ? tags : [...tags, operatorTag(runBy)];
  };
}
