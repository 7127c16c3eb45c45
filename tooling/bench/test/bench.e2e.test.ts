import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProgramRun, isRunning, killPrograms, runProgram } from '@matryoshka/e2e';
import { afterEach, describe, expect, test } from 'vitest';
import type { BaseCommands } from '../src/processes/role.ts';
import { ProcessGroup } from '../src/processes/process-group.ts';
import type { Report, Result } from '../src/report.ts';

// What the command prints and leaves behind. How fast anything is belongs to no test.

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
afterEach(killPrograms);

const run = (...args: readonly string[]): ProgramRun => runProgram(MAIN, args);

/** Processes that `pid` has started and that still run. */
function childrenOf(pid: number): readonly number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child as number);
}

describe('bench', () => {
  test('measures what it is asked to and prints one JSON object, progress apart from it', async () => {
    const named = ['bulk/relayed-3/plain', 'small/rtt-relayed-3/plain'];
    const { code, out, err } = await run(...named, '--quick', '--json', '--rounds', '1').ended;
    expect(err).toContain('round 1 of 1');
    expect(code, err).toBe(0);
    const { machine, results, failures } = JSON.parse(out) as Report;
    expect(machine).toMatchObject({
      node: process.version,
      options: { quick: true, rounds: 1, servingNodes: { relay: { enabled: true } }, missing: {} },
    });
    expect(failures).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(named);
    const processes = { ours: ['A', 'B', 'C', 'D'], theirs: ['source', 'proxy 1', 'proxy 2', 'sink'] };
    for (const result of results) {
      expect((result.ratio as number) / (result.ours / (result.theirs as number))).toBeCloseTo(1, 2);
      expect(result.rounds).toHaveLength(1);
      for (const side of ['ours', 'theirs'] as const) {
        expect(result[side]).toBeGreaterThan(0);
        expect(Object.keys(result.memoryPeakBytes[side] as object)).toEqual(processes[side]);
        expect(result.rounds[0]?.[side]?.value).toBe(result[side]);
        expect(Object.keys(result.rounds[0]?.[side]?.cpuSeconds ?? {})).toEqual(processes[side]);
      }
    }
    const [bulk, small] = results as [Result, Result];
    expect(bulk.unit).toBe('MB/s');
    expect(bulk.rounds[0]?.ours.bytes).toBeGreaterThan(1e6);
    expect(bulk.cpuPerGB.ours).toBeGreaterThan(0);
    expect(bulk.cpuPerGB.theirs).toBeGreaterThan(0);
    expect(small.unit).toBe('ms');
    expect(small.details.ours['p99Ms']).toBeGreaterThanOrEqual(small.ours);
    expect(small.cpuPerGB).toEqual({ ours: null, theirs: null });
  });

  test('a competitor that is not installed is missing for a reason, and the rest is measured', async () => {
    const named = ['small/rtt-relayed-3/plain', 'small/rtt-relayed-3/tor'];
    const { code, out, err } = await runProgram(MAIN, [...named, '--quick', '--json', '--rounds', '1'], { PATH: '/no/such/folder' }).ended;
    expect(code, err).toBe(0);
    const { machine, results, failures } = JSON.parse(out) as Report;
    const reason = expect.stringContaining('not installed: tor, tor-gencert') as unknown;
    expect(machine.options['missing']).toEqual({ tor: reason });
    expect(failures).toEqual([]);
    expect(results).toMatchObject([
      { id: named[0], theirs: expect.any(Number) as unknown, missing: null },
      { id: named[1], ours: expect.any(Number) as unknown, theirs: null, ratio: null, missing: reason },
    ]);
    expect(err).toContain('tor is missing: not installed: tor, tor-gencert');
  });

  test('a page with plots is written beside what is printed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
    try {
      const file = join(folder, 'page.html');
      const { code, out, err } = await run('small/messages-relayed-3', '--quick', '--rounds', '1', '--report', file).ended;
      expect(code, err).toBe(0);
      expect(out).toContain('small/messages-relayed-3');
      expect(err).toContain(`the page with plots is ${file}`);
      await expect(readFile(file, 'utf8')).resolves.toMatch(/<h3 id="small\/messages-relayed-3">[^]*<svg /);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('what cannot be done is refused before anything is measured', async () => {
    const refused = { code: 2, out: '' };
    await expect(run('--preset', 'secret').ended).resolves.toMatchObject({
      ...refused,
      err: expect.stringMatching(/--preset[^]*plain, standard[^]*private/) as unknown,
    });
    const file = '/no/such/folder/page.html';
    await expect(run('--report', file).ended).resolves.toMatchObject({ ...refused, err: expect.stringContaining(file) as unknown });
  });

  test('help has an example; a scenario that does not exist is named with those that do', async () => {
    expect(await run('--help').ended).toMatchObject({ code: 0, out: expect.stringContaining('bench bulk/relayed-3 --quick') as unknown });
    const { code, out, err } = await run('bulk/relayed-99', '--json').ended;
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/no scenario bulk\/relayed-99[^]*bulk\/relayed-3 /);
  });

  test('a process that dies ends the run, by name, and takes the others with it', async () => {
    const { child, ended, said } = run('bulk/relayed-3/plain', '--quick');
    await said('warming up');
    const peers = childrenOf(child.pid as number);
    expect(peers).toHaveLength(8);
    process.kill(peers[1] as number, 'SIGKILL');
    const { code, out, err } = await ended;
    expect(code).toBe(1);
    expect(out).toMatch(/bulk\/relayed-3 +FAILED: B was ended by SIGKILL/);
    expect(err).toMatch(/bench: bulk\/relayed-3: B was ended by SIGKILL/);
    expect(peers.filter(isRunning)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('no process is left after %s', async (signal) => {
    const { child, ended, said } = run('bulk/relayed-3/plain', '--quick');
    await said('warming up');
    const peers = childrenOf(child.pid as number);
    expect(peers).toHaveLength(8);
    child.kill(signal);
    const { code, out } = await ended;
    expect(code).toBe(signal === 'SIGKILL' ? null : 128 + constants.signals[signal]);
    expect(out).toBe('');
    // Those whose parent was killed go by themselves, as soon as they notice.
    await expect.poll(() => peers.filter(isRunning), { timeout: 5000 }).toEqual([]);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('programs that are not ours go, too, and what they wrote, after %s', async (signal) => {
    const script = fileURLToPath(new URL('keeping.ts', import.meta.url));
    const { child } = runProgram(script, []);
    const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [string];
    const [keeper, folder] = line.trim().split(' ') as [string, string];
    const shells = childrenOf(Number(keeper));
    expect(shells).toHaveLength(1);
    const sleepers = childrenOf(shells[0] as number);
    expect(sleepers).toHaveLength(1);
    expect(existsSync(folder)).toBe(true);
    child.kill(signal);
    await expect.poll(() => [Number(keeper), ...shells, ...sleepers].filter(isRunning), { timeout: 5000 }).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test('what a process said on standard error before it died is told', async () => {
    const group = new ProcessGroup('test');
    const peer = group.start<BaseCommands>('X', new URL('dying-peer.ts', import.meta.url));
    await expect(group.watch(peer.call('usage'))).rejects.toThrow(/^X ended with exit code 3; it said:\nout of luck/);
    await group.close();
  });
});
