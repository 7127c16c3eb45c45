import type { Clock, Timer } from './clock.ts';

/** Longest delay a platform timer takes, in milliseconds (a signed 32-bit number). */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Makes what runs `flush` after the I/O of this tick, with what the platform has for it. */
function endOfTick(flush: () => void): () => void {
  // Browsers have no setImmediate; a message to oneself is their task without a delay.
  const immediate = globalThis.setImmediate as ((run: () => void) => unknown) | undefined;
  if (immediate !== undefined) return () => void immediate(flush);
  if (globalThis.MessageChannel === undefined) return () => queueMicrotask(flush);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = flush;
  return () => port2.postMessage(undefined);
}

class SystemClock implements Clock {
  #soon: (() => void)[] = [];
  #scheduled = false;
  readonly #schedule: () => void;

  constructor() {
    this.#schedule = endOfTick(() => this.#flush());
  }

  now(): number {
    return performance.now();
  }

  unixMs(): number {
    return Date.now();
  }

  after(ms: number, run: () => void, { keepsAlive = false }: { readonly keepsAlive?: boolean } = {}): Timer {
    // Whole milliseconds: Node keeps a list for each delay there is, even where its only timer was cancelled, until that
    // would have run.
    const handle: unknown = setTimeout(run, Math.min(Math.max(Math.ceil(ms), 0), LONGEST_TIMER_MS));
    // Sockets keep a process alive, timers must not: a node that has nothing to talk to may end.
    if (!keepsAlive && typeof handle === 'object') (handle as { unref?(): void }).unref?.();
    return { cancel: () => clearTimeout(handle as number) };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
    this.#wake();
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule();
  }

  #flush(): void {
    const batch = this.#soon;
    this.#soon = [];
    this.#scheduled = false;
    let next = 0;
    try {
      while (next < batch.length) (batch[next++] as () => void)();
    } finally {
      // One callback that throws must not take the others with it.
      if (next < batch.length) this.#soon = [...batch.slice(next), ...this.#soon];
      if (this.#soon.length > 0) this.#wake();
    }
  }
}

/**
 * The clock of the platform. Its timers do not keep a process alive unless told to, and its `soon` callbacks run together, after the
 * I/O of this tick. Delays above 24.8 days are cut to that.
 */
export const systemClock: Clock = new SystemClock();
