import type { MatryoshkaError, RelayStatus } from '@matryoshka/wire';
import { UNLIMITED } from './relay-limits.ts';

/** The refusal of a request, as it travels back, with the limits of who refuses (R16). */
export function refusalOf(port: bigint, { code, limits, retryAfterMs }: MatryoshkaError): RelayAnswer {
  return { type: 'relay-status', port, status: 'refused', reason: code, retryAfterMs: retryAfterMs ?? 0, limits: limits ?? UNLIMITED };
}

/** What answers a request. */
export type RelayAnswer = Exclude<RelayStatus, { readonly status: 'stalled' | 'flowing' }>;

/** What stands behind a relay port of a session: an end of one's own relay link, or one side of a forwarded one. */
export interface LinkEnd {
  /** Relay data; `bytes` is a view, valid during the call, that may be overwritten. */
  data(bytes: Uint8Array, more: boolean): void;
  status(message: RelayStatus): void;
  credited(total: number): void;
  /** Credit is given back: counted as sent and consumed. */
  returned(bytes: number): void;
  /** The other side closed it. */
  closedByPeer(reason: MatryoshkaError): void;
  /** The session it is on is over. */
  carrierLost(): void;
  /** Nothing gets through on the session it is on for now. */
  carrierStalled(): void;
  /** It does again. `resumed`: over another link, so that what was granted last may have been lost and is told again. */
  carrierFlowing(resumed: boolean): void;
  /** This node ends it, e.g. because relaying is switched off. */
  shut(reason: MatryoshkaError): void;
}
