import { describe, expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';
import { addCounts, parseCounts, summaryLine, testCounts } from './summary.ts';
import { countRun } from './summary-reporter.ts';

describe('the last line', () => {
  test('names skipped tests only where there are any', () => {
    expect(summaryLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(summaryLine({ passed: 12, failed: 3, skipped: 1 })).toBe('12 passed, 3 failed, 1 skipped');
  });

  test('adds up', () => {
    expect(addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({
      passed: 11,
      failed: 22,
      skipped: 33,
    });
  });
});

describe('a run of the tests', () => {
  const counts = { passed: 5, failed: 0, skipped: 1 };

  test('counts what the reporter counted', () => {
    expect(testCounts(0, counts)).toEqual(counts);
    expect(testCounts(1, { ...counts, failed: 2 })).toEqual({ ...counts, failed: 2 });
  });

  test('that failed without a failed test is a failure', () => {
    expect(testCounts(1, counts).failed).toBe(1);
  });

  test('without a test is a failure', () => {
    expect(testCounts(0, { passed: 0, failed: 0, skipped: 7 }).failed).toBe(1);
  });

  test('that left no counts is a failure', () => {
    expect(testCounts(0, undefined).failed).toBe(1);
    for (const text of ['', '{', '{}', 'null', '{"passed":1,"failed":"0","skipped":0}']) expect(parseCounts(text)).toBeUndefined();
  });
});

describe('the reporter', () => {
  const result = (state: string): unknown => ({ result: () => ({ state }) });
  const module = (errors: number, suiteErrors: number, ...states: string[]): TestModule =>
    ({
      errors: () => Array.from({ length: errors }),
      children: {
        allSuites: () => [{ errors: () => Array.from({ length: suiteErrors }) }],
        allTests: () => states.map(result),
      },
    }) as unknown as TestModule;

  test('counts tests by their state', () => {
    const modules = [module(0, 0, 'passed', 'failed', 'passed'), module(0, 0, 'skipped', 'pending')];
    expect(countRun(modules, 0)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test('counts what fails outside of tests', () => {
    expect(countRun([module(1, 0), module(0, 2, 'passed')], 3)).toEqual({ passed: 1, failed: 6, skipped: 0 });
  });
});
