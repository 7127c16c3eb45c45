import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.ts';
import type { Answer, BaseCommands, Call, Commands } from './role.ts';

/** How much of what a process said on standard error is kept for its obituary. */
const STDERR_LIMIT_LENGTH = 8192;
/** How long a process may take to leave after it was let go: it may have a profile to write. */
const LEAVE_TIMEOUT_MS = 5000;
/** How long an answer may take, unless the caller knows better. */
const ANSWER_TIMEOUT_MS = 30_000;

/** A process starts twice as fast where the scripts were compiled before. */
const COMPILE_CACHE_FOLDER: string = join(cacheFolder(), 'compiled');

/** With the signal that ends each: what keeps programs of its own must get to end them. */
const living = new Map<ChildProcess, NodeJS.Signals>();
// Whatever way this process ends, it leaves none of its own behind.
process.on('exit', () => {
  for (const [child, signal] of living) child.kill(signal);
});

/** How a peer is started. */
export interface PeerOptions {
  /** What messages call it: `B`, `proxy 1`. */
  readonly name: string;
  /** The role's script. */
  readonly script: URL;
  /** Further options of Node for it. */
  readonly nodeOptions?: readonly string[];
  /** Ends it where this process ends first; SIGKILL by default. */
  readonly lastSignal?: NodeJS.Signals;
  /** Called once where it ends unasked; the error names it and holds what it said on standard error. */
  readonly onDied: (error: Error) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A process of the benchmark as its parent sees it: it is asked, and it answers. */
export class PeerProcess<C extends Commands<C>> {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #onDied: (error: Error) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #stderr = '';
  #leaving = false;
  #death: Error | undefined;

  constructor(options: PeerOptions) {
    this.name = options.name;
    this.#onDied = options.onDied;
    const child = fork(options.script, {
      execArgv: ['--conditions=@matryoshka/source', ...(options.nodeOptions ?? [])],
      env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? COMPILE_CACHE_FOLDER },
      // Standard output belongs to the results.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    living.set(child, options.lastSignal ?? 'SIGKILL');
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LIMIT_LENGTH);
    });
    child.on('message', (answer: Answer) => this.#answered(answer));
    this.#exited = this.#watch(child);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks the process to run one of its commands.
   * @throws Error that names the process: what the command failed with, that it died, or that it did not answer in time
   */
  call<Name extends string & keyof (C & BaseCommands)>(
    command: Name,
    ...args: Parameters<(C & BaseCommands)[Name]>
  ): Promise<Awaited<ReturnType<(C & BaseCommands)[Name]>>> {
    return this.#call(command, args, ANSWER_TIMEOUT_MS);
  }

  /** The same for a command that takes longer: `timeoutMs` on top of what is usual. */
  callFor<Name extends string & keyof (C & BaseCommands)>(
    timeoutMs: number,
    command: Name,
    ...args: Parameters<(C & BaseCommands)[Name]>
  ): Promise<Awaited<ReturnType<(C & BaseCommands)[Name]>>> {
    return this.#call(command, args, timeoutMs + ANSWER_TIMEOUT_MS);
  }

  /** Lets it go, and ends it where it stays. */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Resolves when the process is gone and all it said was read; never rejects. */
  async #watch(child: ChildProcess): Promise<void> {
    const said = child.stderr === null ? undefined : once(child.stderr, 'close');
    try {
      // Not `close`: a process that was disconnected from here does not always get there.
      await once(child, 'exit');
      await said;
      this.#died(child.signalCode === null ? `ended with exit code ${child.exitCode}` : `was ended by ${child.signalCode}`);
    } catch (error) {
      this.#died(`could not be started: ${(error as Error).message}`);
    }
    living.delete(child);
  }

  #call<T>(command: string, args: readonly unknown[], timeoutMs: number): Promise<T> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      reject(new Error(`${this.name} did not answer ${command} within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
    const call: Call = { id, command, args };
    this.#child.send(call, (error) => {
      if (error !== null) this.#answered({ id, error: `cannot be asked: ${error.message}` });
    });
    return promise;
  }

  #answered({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(value);
    else waiting.reject(new Error(`${this.name}: ${error}`));
  }

  #died(how: string): void {
    if (this.#death !== undefined) return;
    const said = this.#stderr.trim();
    this.#death = new Error(`${this.name} ${how}${said === '' ? '' : `; it said:\n${said}`}`);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#death);
    }
    this.#waiting.clear();
    if (!this.#leaving) this.#onDied(this.#death);
  }
}
