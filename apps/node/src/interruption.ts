import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long a stop may take before it is forced, by default, in milliseconds. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Ends a command in order: a first signal aborts `signal`, a second one, or too long a wait, ends the process at once.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #exitWithParent: boolean;
  readonly #onHangUp: (() => void) | undefined;
  readonly #stopTimeoutMs: () => number;
  readonly #onTerminal: boolean = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  #exitCode: number | undefined;

  /**
   * @param exitWithParent - also when standard input ends, which it does when whoever started this is gone
   * @param onHangUp - what SIGHUP means instead of a stop, unless it says that the terminal is gone
   * @param stopTimeoutMs - how long a stop may take before it is forced, in milliseconds
   */
  constructor(exitWithParent: boolean, onHangUp?: () => void, stopTimeoutMs: () => number = () => STOP_TIMEOUT_MS) {
    this.#exitWithParent = exitWithParent;
    this.#onHangUp = onHangUp;
    this.#stopTimeoutMs = stopTimeoutMs;
    for (const name of SIGNALS) process.on(name, this.#interrupted);
    // Whoever read the output has gone.
    process.stdout.on('error', this.#outputLost);
    process.stderr.on('error', this.#outputLost);
    if (exitWithParent) process.stdin.on('end', this.#inputEnded).on('error', this.#inputEnded).resume();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 128 and the number of the signal, as shells count; undefined while there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Resolves when it is time to stop. */
  wait(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#interrupted);
    if (this.#exitWithParent) process.stdin.off('end', this.#inputEnded).off('error', this.#inputEnded).destroy();
  }

  /** Stops as a signal would, for somebody else who asks for it; the exit code stays as it is. */
  stop(): void {
    if (!this.signal.aborted) this.#controller.abort();
  }

  #stop(exitCode: number): void {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = exitCode;
    setTimeout(() => process.exit(exitCode), this.#stopTimeoutMs()).unref();
    this.#controller.abort();
  }

  readonly #interrupted = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP' && this.#onHangUp !== undefined && !(this.#onTerminal && terminalIsGone())) {
      this.#onHangUp();
      return;
    }
    const exitCode = 128 + constants.signals[name];
    if (this.#exitCode !== undefined) process.exit(exitCode);
    this.#stop(exitCode);
  };

  readonly #inputEnded = (): void => this.#stop(128 + constants.signals.SIGHUP);
  readonly #outputLost = (): void => this.#stop(128 + constants.signals.SIGPIPE);
}

/** Runs what a signal may end at any time: then nothing is said but by the exit code. */
export async function interruptible(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  using interruption = new Interruption(false);
  try {
    await run(interruption.signal);
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
    process.exitCode = interruption.exitCode;
  }
}

/** Where there is none any more, the one of this process cannot be opened. */
function terminalIsGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
