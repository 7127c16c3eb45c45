import { MatryoshkaError } from '@matryoshka/wire';

/**
 * What is being tried and ends with the node. Each attempt has a signal of its own: the listeners of one that lives as long
 * as the node would hold each other, and with them all that was ever tried, until the whole heap is collected.
 */
export class Attempts {
  readonly #running = new Set<AbortController>();
  #closed: MatryoshkaError | undefined;

  /**
   * Runs `work` with a signal that also stands for `signal`.
   * @throws MatryoshkaError `aborted` where either has ended already; what `work` threw
   */
  async run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const reason: unknown = this.#closed ?? signal?.reason;
    if (reason !== undefined) throw new MatryoshkaError('aborted', undefined, { cause: reason });
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      return await work(signal === undefined ? controller.signal : AbortSignal.any([controller.signal, signal]));
    } finally {
      this.#running.delete(controller);
    }
  }

  /** Aborts all, also those that come. Idempotent. */
  close(reason: MatryoshkaError): void {
    this.#closed ??= reason;
    for (const controller of this.#running) controller.abort(reason);
  }
}
