import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaseCommands, Call, Commands, FromProcess, Report } from './role.ts';

/** How much of what a process said on standard error is kept for its obituary. */
const STDERR_LIMIT_LENGTH = 8192;
/** How long a process may take to leave after it was let go. */
const LEAVE_TIMEOUT_MS = 2000;

/** Processes read the same sources again and again: compiled once, they start in a quarter of the time. Node's own place for it. */
export const COMPILE_CACHE: Readonly<Record<string, string>> = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };

const living = new Set<ChildProcess>();
// Whatever way this process ends, it leaves none of its own behind.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** How a process is started. */
export interface WorkerOptions {
  /** What messages call it: `A`, `proxy`. */
  readonly name: string;
  /** The role's script. */
  readonly script: URL;
  /** Command that runs the one behind it in its own way, in the same process: somewhere else, for example. */
  readonly within?: readonly string[] | undefined;
  readonly onEvent: (value: unknown) => void;
  /** Called once where it ends unasked; the error names it and holds what it said on standard error. */
  readonly onDied: (error: Error) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process of a run as its parent sees it: it is asked, it answers, and it tells how it gets on. */
export class Worker<C extends Commands<C>> {
  readonly name: string;
  readonly #options: WorkerOptions;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #report: Report = { figures: {}, text: 'nothing' };
  #nextId = 1;
  #answers = 0;
  #stderr = '';
  #leaving = false;
  #death: Error | undefined;

  constructor(options: WorkerOptions) {
    this.name = options.name;
    this.#options = options;
    const [execPath, ...execArgv] = [...(options.within ?? []), process.execPath, '--conditions=@matryoshka/source'];
    const child = fork(options.script, {
      execPath,
      execArgv,
      env: { ...COMPILE_CACHE, ...process.env },
      // Standard output belongs to the results.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    living.add(child);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LIMIT_LENGTH);
    });
    child.on('message', (message: FromProcess) => this.#heard(message));
    this.#exited = this.#watch(child);
  }

  /** Changes as long as anything moves there. */
  get pulse(): string {
    return `${this.#answers} ${Object.values(this.#report.figures).join(' ')}`;
  }

  /** What it has told last. */
  get report(): Report {
    return this.#report;
  }

  /** Asks the process to run one of its commands. @throws Error that names the process: what the command failed with, or that it died */
  call<Name extends string & keyof (C & BaseCommands)>(
    command: Name,
    ...args: Parameters<(C & BaseCommands)[Name]>
  ): Promise<Awaited<ReturnType<(C & BaseCommands)[Name]>>> {
    return this.#call(command, args);
  }

  /** Ends it as a crash does, in the middle of whatever it is at; nothing else ends because of that. */
  async crash(): Promise<void> {
    this.#leaving = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
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

  #call<T>(command: string, args: readonly unknown[]): Promise<T> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const id = this.#nextId++;
    this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    const call: Call = { id, command, args };
    this.#child.send(call, (error) => {
      if (error !== null) this.#heard({ type: 'answer', id, error: `cannot be asked: ${error.message}` });
    });
    return promise;
  }

  #heard(message: FromProcess): void {
    switch (message.type) {
      case 'report':
        this.#report = message.report;
        break;
      case 'event':
        this.#options.onEvent(message.value);
        break;
      case 'answer': {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        this.#answers++;
        if (message.error === undefined) waiting?.resolve(message.value);
        else waiting?.reject(new Error(`${this.name}: ${message.error}`));
        break;
      }
      default:
        message satisfies never;
    }
  }

  #died(how: string): void {
    if (this.#death !== undefined) return;
    const said = this.#stderr.trim();
    this.#death = new Error(`${this.name} ${how}${said === '' ? '' : `; it said:\n${said}`}`);
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
    if (!this.#leaving) this.#options.onDied(this.#death);
  }
}
