import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { type Counts, SUMMARY_FILE_VARIABLE } from './summary.ts';

/** A reporter of vitest that leaves the counts of a run in the file named by the environment, for the last line. */
export class SummaryReporter implements Reporter {
  /** Called by vitest when all is done. */
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env[SUMMARY_FILE_VARIABLE];
    if (file !== undefined) writeFileSync(file, JSON.stringify(countRun(modules, unhandledErrors.length)));
  }
}

/** Counts tests; a file or group that fails outside its tests and an error nobody caught are failures of their own. */
export function countRun(modules: readonly TestModule[], unhandledErrors: number): Counts {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failed += 1;
      else skipped += 1;
    }
  }
  return { passed, failed, skipped };
}

// vitest loads a reporter by its default export.
export default SummaryReporter;
