import { type ChildProcess, type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * A network namespace. It has no name that could be left behind: `cat` holds it, which ends with its standard input, and so
 * however this process ends. It is gone when the last process in it is.
 */
export class Namespace {
  readonly name: string;
  readonly #holder: ChildProcessWithoutNullStreams;

  private constructor(name: string, holder: ChildProcessWithoutNullStreams) {
    this.name = name;
    this.#holder = holder;
  }

  /** @throws Error with what the system says against it */
  static async create(name: string): Promise<Namespace> {
    const holder = spawn('unshare', ['--net', '--', 'cat']);
    // It may be gone before it has read.
    holder.stdin.on('error', () => {});
    holder.stdin.write('.');
    const said = text(holder.stderr);
    const ended = new Promise<never>((_, reject) => {
      holder.on('error', reject);
      holder.on('close', () => void said.then((why) => reject(new Error(why.trim()))));
    });
    await Promise.race([once(holder.stdout, 'data'), ended]);
    ended.catch(() => {});
    return new Namespace(name, holder);
  }

  /** The process that holds it. */
  get pid(): number {
    return this.#holder.pid as number;
  }

  /** A command that runs the one behind it here, in the same process. */
  get within(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--'];
  }

  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const [program, ...args] = [...this.within, ...command];
    return spawn(program as string, args, options);
  }

  /** Runs a shell script to its end, and returns what it said. @throws Error with what it complained of */
  async run(script: string): Promise<string> {
    const shell = this.spawn(['sh', '-eu'], { stdio: 'pipe' }) as ChildProcessWithoutNullStreams;
    shell.stdin.on('error', () => {});
    shell.stdin.end(script);
    const [out, complaint] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')]);
    if (shell.exitCode !== 0) throw new Error(`${this.name}: ${complaint.trim()}`);
    return out;
  }

  close(): void {
    this.#holder.stdin.end();
  }
}
