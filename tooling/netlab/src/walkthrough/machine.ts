import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { COMPILE_CACHE } from '@matryoshka/e2e';
import { commandLine } from '../cast/cli-process.ts';
import type { LabHost } from '../lab/lab-host.ts';
import { until } from '../until.ts';

/** How long a command may take, in milliseconds. */
const PATIENCE_MS = 120_000;
/** Whoever says nothing for so long has said what there is to say, in milliseconds. */
const QUIET_MS = 200;

/** What became of a command. */
export interface Typed {
  readonly exitCode: number;
  /** Of one that goes on in the background: what it says to standard output at first. */
  readonly output: string;
  /** Of one that goes on in the background: what it says to standard error at first. */
  readonly log?: string;
}

/** Somebody at a machine: a shell, a home folder, and `matryoshka` as it would be installed. */
export class Machine {
  readonly host: LabHost;
  readonly #home: string;
  readonly #shell: ChildProcessWithoutNullStreams;
  #said = '';
  #jobs = 0;

  constructor(host: LabHost, folder: string) {
    this.host = host;
    this.#home = join(folder, host.name);
    const programs = join(folder, 'bin');
    mkdirSync(this.#home, { recursive: true });
    mkdirSync(programs, { recursive: true });
    const start = `#!/bin/sh\nexec ${commandLine('"$@"').join(' ')}\n`;
    writeFileSync(join(programs, 'matryoshka'), start, { mode: 0o755 });
    const env = {
      ...COMPILE_CACHE,
      PATH: [programs, process.env['PATH']].join(delimiter),
      HOME: this.#home,
      XDG_CACHE_HOME: join(tmpdir(), 'matryoshka-walkthroughs'),
      LANG: 'C.UTF-8',
    };
    // The first process of a PID namespace: what it has started in the background ends with it.
    this.#shell = host.spawn(['unshare', '--pid', '--fork', '--kill-child', '--', 'bash', '--norc'], {
      stdio: 'pipe',
      cwd: this.#home,
      env,
    }) as ChildProcessWithoutNullStreams;
    this.#shell.stdin.on('error', () => {});
    this.#shell.stdout.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    this.#shell.stdin.write('exec 2>&1\n');
  }

  /** Types a command and waits until it has ended; of one that ends with `&`, until it says something. @throws Error */
  async type(command: string): Promise<Typed> {
    const inBackground = / &$/.exec(withoutComment(command));
    return inBackground === null ? this.#run(command) : this.#start(withoutComment(command).slice(0, inBackground.index));
  }

  async #run(command: string): Promise<Typed> {
    const mark = randomUUID();
    this.#said = '';
    // In braces it is the same shell; what reads standard input must not read what is typed next.
    this.#shell.stdin.write(`{ ${command}\n} < /dev/null; echo "${mark} $?"\n`);
    const end = new RegExp(`${mark} (\\d+)\\n`);
    if (!(await until(() => end.test(this.#said), PATIENCE_MS))) throw new Error(`it does not end; so far it said: ${this.#said}`);
    const [found, exitCode] = end.exec(this.#said) as RegExpExecArray;
    return { exitCode: Number(exitCode), output: this.#said.slice(0, this.#said.indexOf(found)) };
  }

  async #start(command: string): Promise<Typed> {
    const [out, log] = [join(this.#home, `.out-${++this.#jobs}`), join(this.#home, `.log-${this.#jobs}`)];
    for (const file of [out, log]) writeFileSync(file, '');
    this.#shell.stdin.write(`> ${out} 2> ${log} < /dev/null ${command} &\n`);
    const said = (): string => readFileSync(out, 'utf8') + readFileSync(log, 'utf8');
    if (!(await until(() => said() !== '', PATIENCE_MS))) throw new Error('it says nothing');
    for (let before = ''; before !== said();) {
      before = said();
      // oxlint-disable-next-line no-await-in-loop
      await delay(QUIET_MS);
    }
    return { exitCode: 0, output: readFileSync(out, 'utf8'), log: readFileSync(log, 'utf8') };
  }
}

/** A command without the comment behind it. */
export function withoutComment(command: string): string {
  return command.replace(/ +# .*$/, '');
}
