import { type Endpoint, type RelayLimits, parseEndpoint } from '@matryoshka/wire';
import { reachable } from '../announcement.ts';
import { SOFTWARE } from '../software.ts';
import type { DirectorySettings } from './directory-options.ts';
import type { Announcement } from './publisher.ts';

/** What a node is now. */
export interface OwnState {
  /** Whether it forwards relay links. */
  readonly relaying: boolean;
  readonly hidden: boolean;
  readonly listening: readonly Endpoint[];
  /** What it allows one relay link. */
  readonly limits: RelayLimits;
}

/** What a node's descriptor says of it, but for what follows from its keys; undefined: it gives none. */
export function descriptorOf(
  { bandwidthBytesPerSecond, endpoints, operator, publish }: DirectorySettings,
  { hidden, limits, listening, relaying }: OwnState,
): Omit<Announcement, 'networkId' | 'staticKey'> | undefined {
  const reached = endpoints?.map(parseEndpoint) ?? reachable(listening);
  // Whoever reads the static key of a hidden node can find it.
  if (!(publish ?? (relaying && !hidden)) || reached.length === 0) return undefined;
  return { relays: relaying, bandwidthBytesPerSecond, limits, operator, software: SOFTWARE, endpoints: reached };
}
