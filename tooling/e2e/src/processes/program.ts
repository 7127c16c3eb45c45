import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of the workspace as it is called, for tests of what it prints and leaves behind. */
export interface ProgramRun {
  readonly child: ChildProcess;
  /** Once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** Once standard error has such a text. @throws Error where it ends before */
  said(text: string | RegExp): Promise<void>;
}

const running = new Set<ChildProcess>();

/** @param variables - of its environment, beside those there are */
export function runProgram(main: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): ProgramRun {
  const child = spawn(process.execPath, ['--conditions=@matryoshka/source', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  const said = async (text: string | RegExp): Promise<void> => {
    const over = ended.then(() => 'over');
    while (typeof text === 'string' ? !err.includes(text) : !text.test(err)) {
      // oxlint-disable-next-line no-await-in-loop
      if ((await Promise.race([over, once(child.stderr, 'data')])) === 'over') throw new Error(`it ended without saying ${text}: ${err}`);
    }
  };
  return { child, ended, said };
}

/** Kills those that still run: after a test, however that has ended. */
export function killPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Whether there is a process of this number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
