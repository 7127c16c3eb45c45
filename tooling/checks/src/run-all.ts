import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './pnpm.ts';
import { type Counts, NOTHING, SUMMARY_FILE_VARIABLE, addCounts, parseCounts, summaryLine, testCounts } from './summary.ts';
import { ROOT, publishedPackages } from './workspace.ts';

// The test command of the repository. Every step runs, also after a failure: one run tells all that is wrong.

interface Step {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
  /** The step that makes what this one looks at. */
  readonly after?: string;
}

// As many commands at once as there are cores; what they say is told in this order.
const STEPS: readonly Step[] = [
  // The root project refers to every package, and at last to all tests and tooling (tsconfig.test.json).
  { name: 'types', commands: [['tsc', '-b']] },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']] },
  { name: 'format', commands: [['oxfmt', '--check']] },
  { name: 'layers', commands: [['turbo', 'boundaries']] },
  { name: 'packages', commands: publishedPackages().map(({ path }) => ['publint', 'run', '--strict', path]), after: 'types' },
];

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

const environment = toolEnvironment();

async function run(command: readonly string[]): Promise<Outcome> {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = `$ ${command.join(' ')}\n`;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { ok: code === 0, output };
  } catch (error) {
    return { ok: false, output: `${output}${program}: ${(error as Error).message}\n` };
  }
}

let freeCores = availableParallelism();
const waiting: (() => void)[] = [];

async function onFreeCore<T>(work: () => Promise<T>): Promise<T> {
  if (freeCores > 0) freeCores -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) freeCores += 1;
    else next();
  }
}

function heading(text: string): void {
  console.log(`\n=== ${text} ${'='.repeat(Math.max(0, 70 - text.length))}`);
}

/** Starts all steps; each is told in its turn. */
async function runSteps(): Promise<readonly { readonly name: string; readonly counts: Counts }[]> {
  const outcomes = new Map<string, Promise<readonly Outcome[]>>();
  for (const { name, commands, after = '' } of STEPS) {
    const before = Promise.resolve(outcomes.get(after));
    outcomes.set(
      name,
      before.then(() => Promise.all(commands.map((command) => onFreeCore(() => run(command))))),
    );
  }
  const steps = [];
  for (const [name, commands] of outcomes) {
    heading(name);
    // oxlint-disable-next-line no-await-in-loop
    const all = await commands;
    for (const { output } of all) process.stdout.write(output);
    const ok = all.every((each) => each.ok);
    console.log(ok ? `${name}: passed` : `${name}: FAILED`);
    steps.push({ name, counts: { ...NOTHING, ...(ok ? { passed: 1 } : { failed: 1 }) } });
  }
  return steps;
}

function runTests(): Counts {
  heading('tests');
  const folder = mkdtempSync(join(tmpdir(), 'matryoshka-summary-'));
  const file = join(folder, 'summary.json');
  const reporter = join(import.meta.dirname, 'summary-reporter.ts');
  try {
    const { status, error } = spawnSync('vitest', ['run', '--reporter=default', `--reporter=${reporter}`], {
      cwd: ROOT,
      env: { ...environment, [SUMMARY_FILE_VARIABLE]: file },
      stdio: 'inherit',
    });
    if (error !== undefined) console.error(`vitest: ${error.message}`);
    return testCounts(status ?? 1, readCounts(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file: string): Counts | undefined {
  try {
    return parseCounts(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const steps = await runSteps();
const tests = { name: 'tests', counts: runTests() };
const all = [...steps, tests];
const total = all.reduce((sum, { counts }) => addCounts(sum, counts), NOTHING);

heading('summary');
for (const { name, counts } of all) console.log(`${counts.failed === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
console.log(`\n${summaryLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
