import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ProgramRun, killPrograms, runProgram } from '@matryoshka/e2e';
import { afterEach, describe, expect, test } from 'vitest';
import type { Report } from '../src/report.ts';

// The command as it is called: threads, streams, exit codes, signals.

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
afterEach(killPrograms);

const run = (...args: readonly string[]): ProgramRun => runProgram(MAIN, args);

describe('explore', () => {
  test.each(['1', '2'])('runs seeds in %s threads and prints one JSON object', async (workers) => {
    const { code, out } = await run('--scenario', 'streams', '--seeds', '12', '--from', '100', '--workers', workers, '--json').ended;
    const report = JSON.parse(out) as Report;
    expect(Object.keys(report)).toEqual(['scenario', 'seeds', 'steps', 'faults', 'violations', 'firstBadSeed', 'seedsPerMinute']);
    // However many threads: the same worlds, the same steps.
    const alone = await run('--scenario', 'streams', '--seeds', '12', '--from', '100', '--workers', '1', '--json').ended;
    expect({ ...report, seedsPerMinute: 0 }).toEqual({ ...(JSON.parse(alone.out) as Report), seedsPerMinute: 0 });
    expect([code, report.seeds, report.violations, report.firstBadSeed]).toEqual([0, 12, 0, null]);
  });

  test('prints what was done so far when it is interrupted', async () => {
    const { child, ended } = run('--scenario', 'streams', '--seeds', '10000000', '--workers', '2', '--json');
    // It tells of its progress.
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    child.kill('SIGINT');
    const { code, out } = await ended;
    const report = JSON.parse(out) as Report;
    expect([code, report.violations]).toEqual([130, 0]);
    expect(report.seeds).toBeGreaterThan(0);
    expect(report.seeds).toBeLessThan(10_000_000);
  });

  test('names what is wrong with a call', async () => {
    const { code, out, err } = await run('--scenario', 'dreams', '--seeds', '1').ended;
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('there is no scenario dreams, known are: streams');
  });

  test('explains itself', async () => {
    const { code, out } = await run('--help').ended;
    expect(code).toBe(0);
    expect(out).toContain('--scenario streams --seeds 1000 --json');
  });
});
