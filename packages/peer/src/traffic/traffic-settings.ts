/** How long records become. */
export type Padding =
  /** As long as what is in them. */
  | { readonly kind: 'none' }
  /** Longer by a number of bytes that is drawn anew for each, 0 to `maxBytes`. */
  | { readonly kind: 'random'; readonly maxBytes: number }
  /** Up to the next length that Padmé allows. */
  | { readonly kind: 'padme' }
  /** All of one length, tag included; messages that do not fit are cut (docs/protocol.md §4.5). */
  | { readonly kind: 'constant'; readonly recordLength: number };

/** When records go out that nobody needs. */
export type Cover =
  | { readonly kind: 'none' }
  /** At random times, independent of each other: the pauses are distributed exponentially. Data does not wait for them. */
  | { readonly kind: 'random'; readonly meanMs: number }
  /** One record in each interval, whether there is something to send or not. Data waits for its turn. Only with constant padding. */
  | { readonly kind: 'constant-rate'; readonly intervalMs: number };

/** What a session does so that nobody learns much from sizes and times of what it sends. */
export interface TrafficSettings {
  /** What its records are filled up to. */
  readonly padding: Padding;
  /** What goes out beside what there is to say. */
  readonly cover: Cover;
}

/** Length of records in `private`: the same in a whole network, so that nothing tells its connections apart. */
export const PRIVATE_RECORD_LENGTH = 4096;

/** Names of settings: `plain` hides nothing, `standard` pads to few lengths, `private` has one length and sends cover. */
export type TrafficPreset = 'plain' | 'standard' | 'private';

/** Settings by name. */
export const TRAFFIC_PRESETS: Readonly<Record<TrafficPreset, TrafficSettings>> = {
  plain: { padding: { kind: 'none' }, cover: { kind: 'none' } },
  standard: { padding: { kind: 'padme' }, cover: { kind: 'none' } },
  private: { padding: { kind: 'constant', recordLength: PRIVATE_RECORD_LENGTH }, cover: { kind: 'random', meanMs: 2000 } },
};
