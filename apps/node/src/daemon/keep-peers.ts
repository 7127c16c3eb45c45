import { keepConnected } from '../keep-connected.ts';
import type { Config } from '../config/config.ts';
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

function peersOf(config: Config): readonly string[] {
  return config.nodeOptions().peers ?? [];
}
