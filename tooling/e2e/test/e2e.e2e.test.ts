import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { FailoverResult } from '../src/failover/failover.ts';
import { type ProgramRun, isRunning, killPrograms, runProgram } from '../src/processes/program.ts';
import type { ResumeResult } from '../src/resume/resume.ts';
import type { StressResult } from '../src/stress/stress.ts';

// The command as it is called: real processes, real sockets, exit codes, signals.

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
afterEach(killPrograms);

const run = (...args: readonly string[]): ProgramRun => runProgram(MAIN, args);

/** Processes that `pid` has started and that still run, by the script they run. */
function childrenOf(pid: number | undefined): readonly { readonly pid: number; readonly script: string }[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent]) => Number(parent) === pid)
    .map(([child, , ...args]) => ({ pid: Number(child), script: args.find((arg) => arg.endsWith('.ts')) ?? '' }));
}

/** The processes of a resume, once bytes go between them. */
async function peersOf({ child, said }: ProgramRun): Promise<readonly { readonly pid: number; readonly script: string }[]> {
  await said(/resume: \d+%, [\d.]+ [MG]iB of/);
  const peers = childrenOf(child.pid);
  expect(peers).toHaveLength(3);
  return peers;
}

const LONG = ['resume', '--bytes', '1TiB', '--kills', '0', '--json'];

describe('e2e', () => {
  test('resume: no byte is lost, repeated or changed, however often the connection under it is killed', async () => {
    const { code, out, err } = await run('resume', '--bytes', '48MiB', '--kills', '10', '--json').ended;
    expect(code, err).toBe(0);
    expect(out.trimEnd().split('\n'), 'one object').toHaveLength(1);
    const result = JSON.parse(out) as ResumeResult;
    expect(Object.keys(result)).toEqual(['bytes', 'sha256Match', 'kills', 'longestPauseMs', 'seconds']);
    expect(result).toMatchObject({ bytes: 48 * 2 ** 20, sha256Match: true, kills: 10 });
    expect(result.longestPauseMs).toBeGreaterThan(0);
    expect(result.longestPauseMs / 1000).toBeLessThan(result.seconds);
    expect(err).toMatch(/resume: seed \d+\n/);
  });

  test('stress: nor through relays and circuits with hardly any memory', async () => {
    const { code, out, err } = await run('stress', '--bytes', '6MiB', '--relay-memory', '128KiB', '--json').ended;
    expect(code, err).toBe(0);
    const { seconds, ...result } = JSON.parse(out) as StressResult;
    expect(result).toEqual({ bytes: 6 * 2 ** 20, sha256Match: true, errors: 0 });
    expect(seconds).toBeGreaterThan(0);
  });

  test.each([
    ['reroute', 2],
    ['circuit-failover', 3],
  ] as const)('%s: R13 nor over relays of which %i are killed, each while it carries them', async (scenario, kills) => {
    const { code, out, err } = await run(scenario, '--bytes', '48MiB', '--kills', `${kills}`, '--json').ended;
    expect(code, err).toBe(0);
    const result = JSON.parse(out) as FailoverResult;
    expect(Object.keys(result)).toEqual(['bytes', 'sha256Match', 'kills', 'longestPauseMs', 'seconds']);
    expect(result).toMatchObject({ bytes: 48 * 2 ** 20, sha256Match: true, kills });
    expect(result.longestPauseMs / 1000).toBeLessThan(result.seconds);
  });

  test('people read a line and a verdict', async () => {
    const { code, out, err } = await run('resume', '--bytes', '1MiB', '--kills', '1', '--seed', '7').ended;
    expect(code, err).toBe(0);
    expect(out).toMatch(/^resume: 1\.0 MiB from A to B in [\d.]+ s \(.*\), 1 kills, longest pause \d+ ms\nEvery byte/);
    expect(err).toContain('resume: seed 7\n');
  });

  test('names what is wrong with a call', async () => {
    const { code, out, err } = await run('resume', '--kills', 'many').ended;
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--kills takes a whole number from 0 to 100000, not many');
  });

  test('explains itself', async () => {
    const { code, out } = await run('--help').ended;
    expect(code).toBe(0);
    expect(out).toContain('e2e resume --bytes 64MiB --kills 10 --seed 7');
  });

  test('a transfer that hangs ends, and tells what each side said last', async () => {
    const hanging = run(...LONG, '--patience', '3');
    const stopped = (await peersOf(hanging)).filter(({ script }) => script.endsWith('node-process.ts'));
    // Each of them tells where it is ten times a second, once it is connected.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const { pid } of stopped) process.kill(pid, 'SIGSTOP');
    const { code, out, err } = await hanging.ended;
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ sha256Match: false, kills: 0 });
    expect(err).toContain('e2e: nothing has moved for 3 s');
    expect(err).toMatch(/A said last: connections: direct open; .*A to B: written \d+ of 1099511627776/);
    expect(err).toMatch(/B said last: .*A to B: .* received \d+ of 1099511627776/);
    expect(err).toMatch(/proxy said last: 0 of 0 kills/);
    expect(stopped.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  test('a process that dies ends the run, by name, and takes the others with it', async () => {
    const dying = run(...LONG);
    const peers = await peersOf(dying);
    process.kill(peers.find(({ script }) => script.endsWith('proxy-process.ts'))?.pid as number, 'SIGKILL');
    const { code, out, err } = await dying.ended;
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ sha256Match: false });
    expect(err).toContain('e2e: proxy was ended by SIGKILL');
    expect(peers.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('no process is left after %s', async (signal) => {
    const interrupted = run(...LONG);
    const peers = await peersOf(interrupted);
    interrupted.child.kill(signal);
    const { code, out } = await interrupted.ended;
    expect(code).toBe(signal === 'SIGKILL' ? null : 128 + constants.signals[signal]);
    expect(out).toBe('');
    // Those whose parent was killed go by themselves, as soon as they notice.
    await expect.poll(() => peers.filter(({ pid }) => isRunning(pid)), { timeout: 5000 }).toEqual([]);
  });
});
