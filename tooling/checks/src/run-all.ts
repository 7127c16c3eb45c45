import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './pnpm.ts';
import { type Counts, NOTHING, SUMMARY_FILE_VARIABLE, addCounts, parseCounts, summaryLine, testCounts } from './summary.ts';
import { ROOT, publishedPackages } from './workspace.ts';

// The test command of the repository. Every step runs, also after a failure: one run tells all that is wrong.

interface Step {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
}

const STEPS: readonly Step[] = [
  // The root project refers to every package, and at last to all tests and tooling (tsconfig.test.json).
  { name: 'types', commands: [['tsc', '-b']] },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']] },
  { name: 'format', commands: [['oxfmt', '--check']] },
  { name: 'layers', commands: [['turbo', 'boundaries']] },
  { name: 'packages', commands: publishedPackages().map(({ path }) => ['publint', 'run', '--strict', path]) },
];

const environment = toolEnvironment();

function run(command: readonly string[], extra: NodeJS.ProcessEnv = {}): number {
  const [program, ...args] = command as [string, ...string[]];
  const result: SpawnSyncReturns<Buffer> = spawnSync(program, args, { cwd: ROOT, env: { ...environment, ...extra }, stdio: 'inherit' });
  if (result.error !== undefined) console.error(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

function heading(text: string): void {
  console.log(`\n=== ${text} ${'='.repeat(Math.max(0, 70 - text.length))}`);
}

function runStep(step: Step): Counts {
  heading(step.name);
  let ok = true;
  for (const command of step.commands) {
    console.log(`$ ${command.join(' ')}`);
    ok = run(command) === 0 && ok;
  }
  console.log(ok ? `${step.name}: passed` : `${step.name}: FAILED`);
  return { ...NOTHING, ...(ok ? { passed: 1 } : { failed: 1 }) };
}

function runTests(): Counts {
  heading('tests');
  const folder = mkdtempSync(join(tmpdir(), 'matryoshka-summary-'));
  const file = join(folder, 'summary.json');
  const reporter = join(import.meta.dirname, 'summary-reporter.ts');
  try {
    const exitCode = run(['vitest', 'run', '--reporter=default', `--reporter=${reporter}`], { [SUMMARY_FILE_VARIABLE]: file });
    return testCounts(exitCode, readCounts(file));
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

const steps = STEPS.map((step) => ({ name: step.name, counts: runStep(step) }));
const tests = { name: 'tests', counts: runTests() };
const all = [...steps, tests];
const total = all.reduce((sum, { counts }) => addCounts(sum, counts), NOTHING);

heading('summary');
for (const { name, counts } of all) console.log(`${counts.failed === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
console.log(`\n${summaryLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
