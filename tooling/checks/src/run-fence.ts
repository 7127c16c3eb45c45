import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectedOutput } from './markdown.ts';

/** What became of an example. */
export interface FenceResult {
  readonly exitCode: number;
  /** Its output, line by line. */
  readonly output: readonly string[];
  readonly errors: string;
}

/** How long an example may take. */
const DEADLINE_MS = 110_000;

/**
 * Runs TypeScript as a module in `folder`, from where its imports resolve; with `source`, packages of this repository
 * are their sources, not their builds.
 */
export function runFence(code: string, folder: string, options: { readonly source: boolean }): Promise<FenceResult> {
  const conditions = options.source ? ['--conditions=@matryoshka/source'] : [];
  // What an example leaves behind goes with it.
  const temporary = mkdtempSync(join(tmpdir(), 'matryoshka-example-'));
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...conditions, '--input-type=module-typescript', '-'],
      { cwd: folder, timeout: DEADLINE_MS, env: { ...process.env, TMPDIR: temporary } },
      (error, stdout, stderr) => {
        rmSync(temporary, { recursive: true, force: true });
        const output = stdout.split('\n').slice(0, -1);
        resolve({ exitCode: error === null ? 0 : 1, output, errors: stderr });
      },
    );
    child.stdin?.end(code);
  });
}

/** What is wrong with an example and its result; undefined where its output is what its comments promise. */
export function fenceFault(code: string, result: FenceResult): string | undefined {
  const expected = expectedOutput(code);
  if (expected === undefined) return 'a console.log without the comment that says what it prints';
  if (result.exitCode !== 0) return `it failed:\n${result.errors}`;
  const actual = result.output.join('\n');
  return actual === expected.join('\n') ? undefined : `it printed:\n${actual}\nand not:\n${expected.join('\n')}`;
}
