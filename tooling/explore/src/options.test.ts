import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Exploration, helpText, parseOptions } from './options.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const scenarios: readonly Scenario[] = ['one', 'two'].map((name) => ({
  name,
  about: `tries ${name}`,
  run: async () => ({ steps: 0, faults: 0, violations: [] }),
}));
const parse = (...args: readonly string[]): Exploration => parseOptions(args, scenarios) as Exploration;

describe('the command line', () => {
  test('names a scenario and how many seeds; the first one is 1', () => {
    const { scenario, seeds, from, json, workers } = parse('--scenario', 'two', '--seeds', '500');
    expect([scenario.name, seeds, from, json, workers]).toEqual(['two', 500, 1, false, availableParallelism()]);
    expect(parse('--scenario', 'one', '--seeds', '2', '--from', '77', '--json', '--workers', '9')).toMatchObject({
      from: 77,
      json: true,
      workers: 2,
    });
  });

  test.each<[readonly string[], string]>([
    [[], '--scenario is missing, known are: one, two'],
    [['--scenario', 'three', '--seeds', '1'], 'there is no scenario three, known are: one, two'],
    [['--scenario', 'one'], '--seeds is missing'],
    [['--scenario', 'one', '--seeds', '0'], '--seeds takes a whole number from 1 to 1000000000, not 0'],
    [['--scenario', 'one', '--seeds', '1e3'], '--seeds takes a whole number from 1 to 1000000000, not 1e3'],
    [['--scenario', 'one', '--seeds', '1', '--from', 'first'], '--from takes a whole number'],
    [['--scenario', 'one', '--seeds', '1', '--workers', '0'], '--workers takes a whole number from 1 to 64, not 0'],
    [['--scenario', 'one', '--seeds', '1', '--sedes', '2'], "'--sedes'"],
    [['--scenario', 'one', '--seeds', '1', 'more'], "'more'"],
  ])('%j is refused, naming what is wrong', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test('its help says what there is, with an example', () => {
    expect(parseOptions(['--help'], scenarios)).toEqual({ help: true });
    expect(helpText(scenarios)).toContain('  two        tries two\n');
    expect(helpText(scenarios)).toContain('$ pnpm --silent explore --scenario one --seeds 1000 --json');
  });
});

test('scenarios have names of their own, and say what they are about', () => {
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  for (const { name, about } of SCENARIOS) {
    expect(name).toMatch(/^[a-z-]{3,10}$/);
    expect(about.length).toBeGreaterThan(20);
  }
});
