import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type ProgramRun, isRunning, killPrograms, runProgram } from '@matryoshka/e2e';
import { afterAll, describe, test } from 'vitest';
import { Lab } from '../src/lab/lab.ts';
import { missing } from '../src/lab/missing.ts';
import { SCENARIOS } from '../src/scenarios.ts';
import { type Outcome, runScenario } from '../src/stage.ts';
import { parseTopology } from '../src/topology/parse-topology.ts';

// Real nodes on hosts with real addresses, and the command as it is called. All of it side by side: each has its network for
// itself, and most of them wait most of the time.

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const PORT = 999;
const lacks = missing();
const unless = lacks.length === 0 ? '' : ` (this machine lacks ${lacks.join(', ')})`;
if (unless !== '') console.log(`netlab is not tested${unless}`);

afterAll(killPrograms);

const run = (args: readonly string[], variables?: NodeJS.ProcessEnv): ProgramRun => runProgram(MAIN, args, variables);

/** All that descend from `pid` and still run. */
function descendantsOf(pid: number): readonly number[] {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] => parents.filter(([, each]) => each === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

describe.skipIf(lacks.length > 0)(`scenarios${unless}`, { concurrent: true }, () => {
  // The one that waits longest begins.
  test.for(SCENARIOS.toReversed())('$name: $title', async (scenario, { expect }) => {
    const { checks } = await runScenario(scenario, () => {});
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.length).toBeGreaterThan(2);
  });
});

describe.skipIf(lacks.length > 0)(`a lab${unless}`, { concurrent: true }, () => {
  const topology = parseTopology(`
internet
├─ east
│  └─ A   66.171.45.90
└─ home   nat 84.20.30.40
   └─ N   192.168.1.10
`);
  const listen = `require('node:net').createServer().listen(${PORT}, () => console.log('listening'))`;

  test('carries packets, and none while a cable is pulled', async ({ expect }) => {
    await using lab = await Lab.build(topology);
    const server = lab.host('A').spawn([process.execPath, '-e', listen], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(server.stdout as NonNullable<typeof server.stdout>, 'data');
    const reached = (): Promise<boolean> => lab.host('N').reaches('66.171.45.90', PORT);
    expect(await reached()).toBe(true);
    await lab.unplug('A');
    expect(await reached()).toBe(false);
    await lab.plug('A');
    expect(await reached()).toBe(true);
    await lab.unplug('home');
    expect(await reached()).toBe(false);
    await lab.close();
    expect(server.killed && !isRunning(server.pid as number), 'processes on its hosts end with it').toBe(true);
  });

  test('names what is wrong: hosts, cables, scripts', async ({ expect }) => {
    await using lab = await Lab.build(topology);
    expect(() => lab.host('X')).toThrow(new RangeError('no host X'));
    await expect(lab.unplug('internet')).rejects.toThrow(new RangeError('no cable to internet'));
    await expect(lab.host('A').run('ip link set dev nothing up')).rejects.toThrow(/^A: Cannot find device/);
  });
});

describe('netlab', { concurrent: true }, () => {
  test.skipIf(lacks.length > 0)(`plays a scenario${unless}`, async ({ expect }) => {
    const { code, out, err } = await run(['families', '--json']).ended;
    expect(code, err).toBe(0);
    const result = JSON.parse(out) as { readonly ok: boolean; readonly missing: readonly string[]; readonly scenarios: readonly Outcome[] };
    expect(result).toMatchObject({ ok: true, missing: [], scenarios: [{ name: 'families', ok: true }] });
    expect(err).toContain('└─ D   2a03:2880:30::20');
    expect(err).toContain('  ok    a circuit gets there, too\n');
  });

  test('says what a machine lacks', async ({ expect }) => {
    const { code, out, err } = await run(['nat', '--json'], { PATH: '/nonexistent' }).ended;
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, scenarios: [] });
    if (process.platform === 'linux') expect(err).toContain('this machine lacks the program unshare (of the package util-linux)');
  });

  test('names what is wrong with a call, explains itself, and lists what there is', async ({ expect }) => {
    const [wrong, help, list] = await Promise.all([run(['dreams']), run(['--help']), run(['list'])].map((each) => each.ended));
    expect([wrong?.code, wrong?.out]).toEqual([2, '']);
    expect(wrong?.err).toContain('there is no scenario dreams, known are: tables, exclusion');
    expect(help?.code).toBe(0);
    expect(help?.out).toContain('$ pnpm --silent netlab exclusion');
    expect(list?.code).toBe(0);
    for (const { title, drawing } of SCENARIOS) expect(list?.out).toContain(`${title}\n${drawing}`);
  });

  test.skipIf(lacks.length > 0).for(['SIGINT', 'SIGKILL'] as const)(`nothing is left after %s${unless}`, async (signal, { expect }) => {
    const interrupted = run(['vanish', '--json']);
    await interrupted.said('B chose one of three');
    const below = descendantsOf(interrupted.child.pid as number);
    // Seven namespaces, and nodes on six hosts.
    expect(below.length).toBeGreaterThanOrEqual(13);
    interrupted.child.kill(signal);
    const { code } = await interrupted.ended;
    expect(code).toBe(signal === 'SIGKILL' ? null : 128 + constants.signals[signal]);
    await expect.poll(() => below.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });
});
