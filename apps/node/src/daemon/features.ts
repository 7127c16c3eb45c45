import type { Feature } from './feature.ts';
import { KeepPeers } from './keep-peers.ts';
import { ReceiveFiles } from './receive-files.ts';
import { Services } from '../services/services.ts';

/** What runs on top of the node of every daemon, in the order of starting; stopped in the opposite one. */
export function createFeatures(): readonly Feature[] {
  return [new ReceiveFiles(), new Services(), new KeepPeers()];
}
