/** When a session's keys change, and how often the other side may change its own (docs/protocol.md §4.4, §11). */
export interface KeyUpdateSettings {
  /** A key is replaced after so many records, */
  readonly records: number;
  /** after so many bytes of them, */
  readonly bytes: number;
  /** and at this age, in milliseconds. */
  readonly ageMs: number;
  /** The session's initiator begins an exchange this long after the last one or after the handshake, in milliseconds. */
  readonly exchangeMs: number;
  /** Key updates that the other side may send at once, */
  readonly burst: number;
  /** and one more for each so many of its records. */
  readonly recordsPerUpdate: number;
  /** An exchange costs more: the other side may begin one only this long after the last one, in milliseconds. */
  readonly minExchangeMs: number;
}

/** As docs/protocol.md §4.4 wants them. */
export const DEFAULT_KEY_UPDATE_SETTINGS: KeyUpdateSettings = {
  records: 2 ** 22,
  bytes: 64 * 2 ** 30,
  ageMs: 3_600_000,
  // Before keys reach that age: they only do where an exchange gets no answer.
  exchangeMs: 3_000_000,
  burst: 16,
  recordsPerUpdate: 16,
  minExchangeMs: 60_000,
};
