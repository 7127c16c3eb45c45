import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allProcesses, treeOf, usageOfTree } from './process-tree.ts';
import { serveRole } from './role.ts';

// Keeps programs that are not ours: they end with it, however the benchmark ends, and so does what they wrote.

/** How much of what a program said is told when it dies. */
const SAID_LIMIT_LENGTH = 4096;

/** How a program is started. */
export interface ProgramOptions {
  /** What messages and results call it. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is among those whose usage is reported; true by default. */
  readonly counted?: boolean;
}

/** What the role answers to. */
export interface ProgramKeeperCommands {
  /** Starts a program that stays. */
  start(program: ProgramOptions): void;
  /** Ends a program and starts it again. */
  restart(name: string): Promise<void>;
  /** A folder for files of the programs. */
  folder(): string;
}

interface Program {
  readonly options: ProgramOptions;
  readonly child: ChildProcess;
  said: string;
}

const folder = mkdtempSync(join(tmpdir(), 'matryoshka-bench-'));
const programs = new Map<string, Program>();

// Also for what went wrong here: nothing of it may stay.
process.on('exit', () => {
  const all = allProcesses();
  for (const { child } of programs.values()) {
    for (const { pid } of child.pid === undefined ? [] : treeOf(child.pid, all)) kill(pid);
  }
  rmSync(folder, { recursive: true, force: true });
});
process.on('SIGTERM', () => process.exit(0));

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function start(options: ProgramOptions): void {
  const { name, file, args, env } = options;
  // Detached: Ctrl-C in a terminal would end a server before those it has started, and nobody would know them any more.
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const program: Program = { options, child, said: '' };
  programs.set(name, program);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      program.said = (program.said + text).slice(-SAID_LIMIT_LENGTH);
    });
  }
  const died = (how: string): void => {
    if (programs.get(name) !== program) return;
    // The parent reads this as what this process died of.
    process.stderr.write(`${name} ${how}\n${program.said}`, () => process.exit(1));
  };
  child.on('error', (error) => died(`could not be started: ${error.message}`));
  child.on('close', (code, signal) => died(`ended with ${signal ?? code}`));
}

serveRole<ProgramKeeperCommands>(
  {
    start,
    async restart(name) {
      const program = programs.get(name);
      if (program === undefined) throw new RangeError(`no program ${name}`);
      const exited = once(program.child, 'exit');
      programs.delete(name);
      program.child.kill('SIGKILL');
      await exited;
      start(program.options);
    },
    folder: () => folder,
  },
  () => {
    const all = allProcesses();
    const counted = [...programs].filter(([, { options }]) => options.counted ?? true);
    return { programs: Object.fromEntries(counted.map(([name, { child }]) => [name, usageOfTree(child.pid ?? 0, all)])) };
  },
);
