import type { MatryoshkaError, RelayLimits, RelayStatus } from '@matryoshka/wire';

/** No limit in any respect (R16). */
export const UNLIMITED: RelayLimits = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };

/** The refusal of a request, as it travels back. */
export function refusalOf(port: bigint, { code, retryAfterMs }: MatryoshkaError): RelayStatus {
  return { type: 'relay-status', port, status: 'refused', reason: code, retryAfterMs: retryAfterMs ?? 0, limits: UNLIMITED };
}

/** What stands behind a relay port of a session: an end of one's own relay link, or one side of a forwarded one. */
export interface LinkEnd {
  /** Relay data; `bytes` is a view, valid during the call, that may be overwritten. */
  data(bytes: Uint8Array, more: boolean): void;
  status(message: RelayStatus): void;
  credited(total: number): void;
  /** The other side closed it. */
  closedByPeer(reason: MatryoshkaError): void;
  /** The session it is on is over. */
  carrierLost(): void;
  /** This node ends it, e.g. because relaying is switched off. */
  shut(reason: MatryoshkaError): void;
}
