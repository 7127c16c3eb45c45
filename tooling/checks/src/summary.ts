/** How many checks went which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Where the reporter of the test runner leaves its counts. */
export const SUMMARY_FILE_VARIABLE = 'MATRYOSHKA_SUMMARY_FILE';

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Adds up. */
export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** Parses what the reporter wrote; undefined where it is not that. */
export function parseCounts(text: string): Counts | undefined {
  try {
    const { passed, failed, skipped } = JSON.parse(text) as Record<string, unknown>;
    if (typeof passed === 'number' && typeof failed === 'number' && typeof skipped === 'number') return { passed, failed, skipped };
  } catch {
    // The runner died before or while it wrote: there are no counts.
  }
  return undefined;
}

/** What a run of the tests counts for: a run that failed or saw no test is a failure, whatever it counted. */
export function testCounts(exitCode: number, counts: Counts | undefined): Counts {
  if (counts === undefined) return { ...NOTHING, failed: 1 };
  const silent = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  return silent ? addCounts(counts, { ...NOTHING, failed: 1 }) : counts;
}

/** The last line of the test command. */
export function summaryLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed${counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`}`;
}
