import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { NodeStatus } from '@matryoshka/node';
import type { TimedEvent } from '../events.ts';
import { DemoError } from './demo-error.ts';

/** How long a node may take to do what is expected of it, in milliseconds. */
const PATIENCE_MS = 30_000;
/** How long a node may take to stop before it is killed, by default, in milliseconds. */
const STOP_TIMEOUT_MS = 5_000;
const MAX_ERRORS_LENGTH = 64 * 1024;

/** An event of one kind. */
export type EventOf<Name extends string> = Extract<TimedEvent, { event: Name }>;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

// The command line as this very file runs: from its source, or from its build.
const MAIN = join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`);

/** A process of the command line with `--json`, and what it has told. */
export class NodeProcess {
  readonly name: string;
  /** Everything it told, in order. */
  readonly events: TimedEvent[] = [];
  /** Resolves with the exit code, or the signal, when it has ended. */
  readonly exited: Promise<number | string>;
  readonly #child: Child;
  readonly #listeners = new Set<() => void>();
  readonly #onEvent: (name: string, event: TimedEvent) => void;
  #errors = '';
  #exitCode: number | string | undefined;

  /** Starts it; `args` are those of the command line. */
  constructor(
    name: string,
    args: readonly string[],
    onEvent: (name: string, event: TimedEvent) => void,
    onErrors: (name: string, text: string) => void,
  ) {
    this.name = name;
    this.#onEvent = onEvent;
    const conditions = process.execArgv.filter((arg) => arg.startsWith('--conditions'));
    // Whatever is configured on this machine is none of the demo's.
    const alone = args[0] === 'up' ? '--ephemeral' : '--standalone';
    // A group of its own: an interrupt from the terminal comes to the demo alone, which then stops its nodes in order.
    this.#child = spawn(process.execPath, [...conditions, MAIN, ...args, alone, '--json', '--exit-with-parent'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-MAX_ERRORS_LENGTH);
      onErrors(name, text);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#line(line));
    this.exited = new Promise((resolve) => {
      const ended = (code: number | string): void => {
        this.#exitCode = code;
        resolve(code);
        this.#notify();
      };
      this.#child.on('error', (error) => {
        this.#errors += error.message;
        ended('a failure to start');
      });
      this.#child.on('close', (code, signal) => ended(code ?? signal ?? 'no code'));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#exitCode === undefined;
  }

  /** What it said on standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  /** Events from the one at `from` on. */
  since<Name extends string>(from: number, name: Name): EventOf<Name>[] {
    return this.events.slice(from).filter((event): event is EventOf<Name> => 'event' in event && event.event === name);
  }

  /**
   * Waits for an event, from the one at `from` on.
   * @throws DemoError when the process ends, or takes too long
   */
  async waitFor<Name extends string>(name: Name, from = 0, patienceMs: number = PATIENCE_MS): Promise<EventOf<Name>> {
    return this.until(() => this.since(from, name)[0], `"${name}"`, patienceMs);
  }

  /** Waits until `condition` gives something, which is asked after each event. @throws DemoError as `waitFor` */
  async until<T>(condition: () => T | undefined, what: string, patienceMs: number = PATIENCE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        run();
      };
      const timer = setTimeout(
        () => settle(() => reject(new DemoError(`${this.name} did not tell ${what} within ${patienceMs / 1000} s${this.#said()}`))),
        patienceMs,
      );
      const check = (): void => {
        const found = condition();
        if (found !== undefined) settle(() => resolve(found));
        else if (!this.running) settle(() => reject(this.endedEarly()));
      };
      this.#listeners.add(check);
      check();
    });
  }

  /** Why nothing more comes from it. */
  endedEarly(): DemoError {
    return new DemoError(
      `the process of ${this.name} ended with ${typeof this.#exitCode === 'number' ? `code ${this.#exitCode}` : this.#exitCode}${this.#said()}`,
    );
  }

  /** Asks it what it knows. */
  async status(): Promise<NodeStatus> {
    const from = this.events.length;
    this.tell('status');
    return (await this.waitFor('status', from)).status;
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Forgets what it has told so far. */
  forget(): void {
    this.events.length = 0;
  }

  /** Ends it as a power cut would. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends it: politely, then not. */
  async stop(patienceMs: number = STOP_TIMEOUT_MS): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.exited;
    clearTimeout(timer);
  }

  #said(): string {
    return this.errors === '' ? ' and said nothing' : `; it said:\n${this.errors}`;
  }

  #line(line: string): void {
    let event: TimedEvent;
    try {
      event = JSON.parse(line) as TimedEvent;
    } catch {
      this.#errors += `${line}\n`;
      return;
    }
    this.events.push(event);
    this.#onEvent(this.name, event);
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
