import { keepConnected } from '../keep-connected.ts';
import type { Config } from '../config/config.ts';
import { peerIdOf } from '../config/joined-peers.ts';
import type { Feature, FeatureContext } from './feature.ts';

/** Stays connected to the peers of the configuration. */
export class KeepPeers implements Feature {
  readonly name = 'peers';
  #stopping = new AbortController();

  start({ node, config, output, signal }: FeatureContext): void {
    this.#stopping = new AbortController();
    const until = AbortSignal.any([signal, this.#stopping.signal]);
    for (const peer of peersOf(config)) void keepConnected(node, peer, output, until);
  }

  stop(): void {
    this.#stopping.abort();
  }
}

/** Who is to be connected to: one that is known in several places by its id, so that all of them are tried. */
function peersOf(config: Config): readonly string[] {
  const places = Map.groupBy(config.nodeOptions().peers ?? [], peerIdOf);
  return [...places].map(([peerId, [place = peerId, ...more]]) => (more.length === 0 ? place : peerId));
}
