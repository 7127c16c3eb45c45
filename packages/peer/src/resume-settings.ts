import { RETAINED_LIMIT_BYTES } from '@matryoshka/session';

/** How long sessions outlive their links, and what that may cost (docs/protocol.md §5.3, §11). */
export interface ResumeSettings {
  /** How long a session waits for its next link, in milliseconds; 0: it ends with its link. */
  readonly graceMs: number;
  /** Records that are kept for the other side, in bytes; above it numbered messages wait. */
  readonly retainedBytes: number;
  /** How long an initiator bears a stalled path before it looks for another one, in milliseconds. */
  readonly stallMs: number;
  /** Suspended sessions that others opened: in all, of one network, of one peer. */
  readonly maxSuspended: number;
  /** The same, of one source network. */
  readonly maxSuspendedPerNetwork: number;
  /** The same, of one peer. */
  readonly maxSuspendedPerPeer: number;
}

/** What a node uses unless told: half a minute of grace. */
export const DEFAULT_RESUME_SETTINGS: ResumeSettings = {
  graceMs: 30_000,
  retainedBytes: RETAINED_LIMIT_BYTES,
  stallMs: 2000,
  maxSuspended: 1024,
  maxSuspendedPerNetwork: 256,
  maxSuspendedPerPeer: 64,
};
