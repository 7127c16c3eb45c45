import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes } from '../quantities.ts';
import type { BaseCommands, Commands } from './role.ts';
import { Worker } from './worker.ts';

/** How long a failed call waits for the news that really another process died. */
const DEATH_GRACE_MS = 300;
const LOOK_INTERVAL_MS = 100;

/** The processes of a run: they fail together and end together. */
export class Crew {
  readonly #patienceMs: number;
  readonly #onLook: () => void;
  readonly #workers: Worker<BaseCommands>[] = [];
  readonly #failed = Promise.withResolvers<never>();
  readonly #timer: NodeJS.Timeout;
  #failure: Error | undefined;
  #pulse = '';
  #movedAtMs: number = performance.now();

  /**
   * @param patienceMs - how long nothing may move
   * @param onLook - called several times a second
   */
  constructor(patienceMs: number, onLook: () => void) {
    this.#patienceMs = patienceMs;
    this.#onLook = onLook;
    // Whoever waits for something is told; nobody has to wait.
    this.#failed.promise.catch(() => {});
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
  }

  /**
   * Starts one more process.
   * @param within - see `WorkerOptions`
   */
  start<C extends Commands<C>>(
    name: string,
    script: URL,
    onEvent: (value: unknown) => void = () => {},
    within?: readonly string[],
  ): Worker<C> {
    const worker = new Worker<C & BaseCommands>({ name, script, within, onEvent, onDied: (error) => this.#fail(error) });
    this.#workers.push(worker);
    return worker;
  }

  /** Waits for `work`. @throws Error what it failed with; the death of a process, which explains more; or that nothing moves */
  async watch<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#failed.promise]);
    } catch (error) {
      if (this.#failure === undefined) await delay(DEATH_GRACE_MS);
      throw this.#failure ?? error;
    }
  }

  /** Bytes that have arrived, at all of them. */
  get receivedBytes(): number {
    return this.#workers.reduce((sum, { report }) => sum + (report.figures.receivedBytes ?? 0), 0);
  }

  /** What each process said last, a line each. */
  get lastWords(): string {
    return this.#workers.map(({ name, report }) => `  ${name} said last: ${report.text}`).join('\n');
  }

  /** What each process has used so far, a line each. Those that do not answer any more are left out. */
  async usage(): Promise<string> {
    const reports = this.#workers.map(async (worker) => {
      const { cpuSeconds, maxRssBytes } = await worker.call('usage');
      return `  ${worker.name} used ${cpuSeconds.toFixed(1)} s of CPU, ${formatBytes(maxRssBytes)} of memory at most`;
    });
    const settled = await this.watch(Promise.allSettled(reports));
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])).join('\n');
  }

  /** Ends every process; resolves when all are gone. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#workers.map((worker) => worker.leave()));
  }

  #look(): void {
    this.#onLook();
    const now = performance.now();
    const pulse = this.#workers.map((worker) => worker.pulse).join();
    // Where nobody is, nobody can stand still.
    if (pulse !== this.#pulse || this.#workers.length === 0) {
      this.#pulse = pulse;
      this.#movedAtMs = now;
    } else if (now - this.#movedAtMs > this.#patienceMs) {
      this.#fail(new Error(`nothing has moved for ${this.#patienceMs / 1000} s`));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#failed.reject(error);
  }
}
