import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CliEvent } from '../src/events.ts';

export const MAIN: string = join(import.meta.dirname, '..', 'src', 'main.ts');
const DEMO = join(import.meta.dirname, '..', 'src', 'demo', 'main.ts');
/** Long enough for a machine that does other things too, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * The environment of a process under test: what is configured on this machine is none of its business; compiled code is
 * kept from one run to the next.
 */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MATRYOSHKA_'))),
  XDG_CONFIG_HOME: '/nowhere',
  XDG_DATA_HOME: '/nowhere',
  XDG_CACHE_HOME: join(import.meta.dirname, '..', 'node_modules', '.cache'),
};

type EventOf<Name extends string> = Extract<CliEvent, { event: Name }>;

/** A process of the command line, from its source. */
export class Cli {
  readonly child: ChildProcessWithoutNullStreams;
  readonly events: CliEvent[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';
  readonly #listeners = new Set<() => void>();

  constructor(args: readonly string[], main: string = MAIN, environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ['--conditions=@matryoshka/source', main, ...args], {
      env: { ...ENVIRONMENT, ...environment },
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.stdout += `${line}\n`;
      if (line.startsWith('{')) this.events.push(JSON.parse(line) as CliEvent);
      for (const listener of [...this.#listeners]) listener();
    });
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve(code ?? (signal as NodeJS.Signals));
        for (const listener of [...this.#listeners]) listener();
      });
    });
  }

  all<Name extends string>(name: Name): EventOf<Name>[] {
    return this.events.filter((event): event is EventOf<Name> => 'event' in event && event.event === name);
  }

  get error(): { readonly code: string; readonly message: string } | undefined {
    return this.events
      .map((event) => ('error' in event && !('event' in event) ? event.error : undefined))
      .find((error) => error !== undefined);
  }

  /** Waits for an event. */
  async event<Name extends string>(name: Name, count = 1): Promise<EventOf<Name>> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        run();
      };
      const fail = (why: string): void => settle(() => reject(new Error(`no ${name}: ${why}\n${this.stdout}\n${this.stderr}`)));
      const timer = setTimeout(() => fail('it took too long'), PATIENCE_MS);
      const check = (): void => {
        const found = this.all(name)[count - 1];
        if (found !== undefined) settle(() => resolve(found));
        else if (this.child.exitCode !== null || this.child.signalCode !== null) fail('the process has ended');
      };
      this.#listeners.add(check);
      check();
    });
  }
}

/** Runs a command to its end. */
export async function run(...args: readonly string[]): Promise<Cli> {
  const cli = new Cli(args);
  await cli.exited;
  return cli;
}

/** Starts the demo; what it writes on the way goes into `folder`. */
export function startDemo(folder: string, ...args: readonly string[]): Cli {
  return new Cli(args, DEMO, { TMPDIR: folder });
}
