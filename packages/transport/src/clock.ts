/** A timer that was set. */
export interface Timer {
  /** It does not run any more; nothing where it has run. */
  cancel(): void;
}

/** Time as the protocol sees it: always an argument, so that a simulated world can be its master. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970, for the hour bucket of handshakes only. */
  unixMs(): number;
  /**
   * Runs `run` once, `ms` milliseconds from now. With `keepsAlive` the process lives until then, where it could end: by
   * default only those do that have a socket.
   */
  after(ms: number, run: () => void, options?: { readonly keepsAlive?: boolean }): Timer;
  /** Runs `run` at the end of this tick, after all that has arrived was handled: one flush for all of it. */
  soon(run: () => void): void;
}
