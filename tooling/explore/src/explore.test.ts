import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import type { Report } from './report.ts';
import type { Outcome, Scenario } from './scenario.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const good: Outcome = { steps: 10, faults: 2, violations: [] };

/** Runs the command in this process with one scenario, `tried`. */
async function ran(run: Scenario['run'], args: readonly string[], interrupted = new AbortController().signal): Promise<Ran> {
  let [out, err] = ['', ''];
  const stream = (add: (text: string) => void): NodeJS.WriteStream =>
    ({ isTTY: false, write: (text: string) => add(text) }) as unknown as NodeJS.WriteStream;
  const code = await explore(['--scenario', 'tried', '--workers', '1', ...args], {
    scenarios: [{ name: 'tried', about: 'what this test is about', run }],
    stdout: stream((text) => (out += text)),
    stderr: stream((text) => (err += text)),
    interrupted,
  });
  return { code, out, err };
}

describe('an exploration', () => {
  test('runs every seed once, in order, and adds up', async () => {
    const seeds: number[] = [];
    const { code, out, err } = await ran(
      async (seed) => {
        seeds.push(seed);
        return good;
      },
      ['--seeds', '4', '--from', '7', '--json'],
    );
    expect(seeds).toEqual([7, 8, 9, 10]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(out)).toEqual({
      scenario: 'tried',
      seeds: 4,
      steps: 40,
      faults: 8,
      violations: 0,
      firstBadSeed: null,
      seedsPerMinute: expect.any(Number),
    });
  });

  test('that finds something tells what, the first bad seed, and how to run it again', async () => {
    const { code, out, err } = await ran(
      async (seed) => ({ ...good, violations: seed % 5 === 0 ? [`a byte of ${seed} is lost`, 'another one'] : [] }),
      ['--seeds', '12', '--json'],
    );
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ seeds: 12, violations: 4, firstBadSeed: 5 });
    expect(err).toContain(
      'seed 5:\n  a byte of 5 is lost\n  another one\n  replay: npx -y pnpm@12 --silent explore --scenario tried --seeds 1 --from 5\n',
    );
    expect(err).toContain('seed 10:\n');
  });

  test('takes what a scenario throws, or nobody awaits, for a violation of that seed, and goes on', async () => {
    const { code, out, err } = await ran(
      async (seed) => {
        if (seed === 2) throw new RangeError('thrown');
        if (seed === 3) void Promise.reject(new RangeError('rejected'));
        return good;
      },
      ['--seeds', '4', '--json'],
    );
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ seeds: 4, steps: 30, violations: 2, firstBadSeed: 2 });
    expect(err).toContain('RangeError: thrown');
    expect(err).toMatch(/seed 3:\n {2}nobody expected RangeError: rejected/);
  });

  test('tells of ten bad seeds and ten violations of each, and counts the others', async () => {
    const { err, out } = await ran(
      async () => ({ ...good, violations: Array.from({ length: 15 }, (_, i) => `violation ${i}`) }),
      ['--seeds', '30', '--json'],
    );
    expect(err.match(/replay:/g)?.length).toBe(10);
    expect(err.match(/ {2}and 5 more\n/g)?.length).toBe(10);
    expect((JSON.parse(out) as Report).violations).toBe(450);
  });

  test('that is interrupted prints what was done so far', async () => {
    const interruption = new AbortController();
    const { code, out } = await ran(
      async (seed) => {
        if (seed === 3) interruption.abort();
        return good;
      },
      ['--seeds', '1000'],
      interruption.signal,
    );
    expect(code).toBe(130);
    expect(out).toMatch(/^tried: 3 of 1,000 worlds, 30 steps, 6 faults, /);
  });

  test('is told in words without --json', async () => {
    expect((await ran(async () => good, ['--seeds', '2'])).out).toMatch(
      /^tried: 2 worlds, 20 steps, 4 faults, [\d,]+ worlds a minute\nNo promise was broken\.\n$/,
    );
    const bad = await ran(async (seed) => ({ ...good, violations: [`${seed}`] }), ['--seeds', '2']);
    expect(bad.out).toContain(
      '2 violations; the first bad seed is 1:\n  npx -y pnpm@12 --silent explore --scenario tried --seeds 1 --from 1\n',
    );
  });

  test('that is called wrongly says how on standard error, with code 2', async () => {
    const { code, out, err } = await ran(async () => good, ['--seeds', 'many']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--seeds takes a whole number');
  });
});
