import { describe, expect, test } from 'vitest';
import { HELP_TEXT, parseOptions } from './options.ts';

const parse = (...args: readonly string[]): ReturnType<typeof parseOptions> => parseOptions(args, 4711);

describe('the command line', () => {
  test('has defaults for everything but the scenario', () => {
    expect(parse('resume')).toEqual({
      scenario: 'resume',
      bytes: 2 ** 30,
      kills: 50,
      seed: 4711,
      patienceMs: 60_000,
      json: false,
    });
    expect(parse('reroute')).toEqual({ scenario: 'reroute', bytes: 2 ** 30, kills: 3, seed: 4711, patienceMs: 60_000, json: false });
    expect(parse('circuit-failover', '--kills', '5')).toMatchObject({ scenario: 'circuit-failover', bytes: 2 ** 30, kills: 5 });
    expect(parse('stress', '--json')).toEqual({
      scenario: 'stress',
      bytes: 2 ** 26,
      streams: 4,
      relayMemoryBytes: 2 ** 18,
      seed: 4711,
      patienceMs: 60_000,
      json: true,
    });
  });

  test('takes all of its options', () => {
    const resume = ['resume', '--bytes', '64MiB', '--kills', '10', '--seed', '7', '--patience', '5', '--json'];
    expect(parse(...resume)).toEqual({ scenario: 'resume', bytes: 2 ** 26, kills: 10, seed: 7, patienceMs: 5000, json: true });
    expect(parse('stress', '--streams', '2', '--relay-memory', '1MiB')).toMatchObject({ streams: 2, relayMemoryBytes: 2 ** 20 });
  });

  test.each([
    [[], 'no scenario is named, known are: resume, stress, reroute, circuit-failover'],
    [['dreams'], 'there is no scenario dreams, known are: resume, stress, reroute, circuit-failover'],
    [['resume', 'stress'], 'one scenario at a time, not also stress'],
    [['resume', '--bytes', 'much'], '--bytes takes a number of bytes such as 64MiB or 65536, not much'],
    [['resume', '--bytes', '0'], '--bytes takes 1 to 1099511627776 bytes, not 0'],
    [['resume', '--kills', '-1'], "Option '--kills' argument is ambiguous"],
    [['resume', '--kills', '1.5'], '--kills takes a whole number from 0 to 100000, not 1.5'],
    [['resume', '--bytes', '1MiB', '--kills', '17'], '--bytes 1048576 is too little for --kills 17: each needs 65536'],
    [['reroute', '--bytes', '16MiB', '--kills', '2'], '--bytes 16777216 is too little for --kills 2: each needs 16777216'],
    [['reroute', '--kills', '21'], '--kills takes a whole number from 0 to 20, not 21'],
    [['resume', '--streams', '2'], '--streams is no option of resume'],
    [['stress', '--kills', '2'], '--kills is no option of stress'],
    [['stress', '--relay-memory', '1KiB'], '--relay-memory takes 65536 to 1099511627776 bytes, not 1KiB'],
    [['resume', '--patience', '0'], '--patience takes a whole number from 1 to 86400, not 0'],
    [['resume', '--speed', '7'], "Unknown option '--speed'"],
  ])('%j is refused by name', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test('explains itself, with an example that it takes', () => {
    expect(parse('--help')).toEqual({ scenario: 'help' });
    const example = /\$ pnpm --silent e2e (.*)/.exec(HELP_TEXT)?.[1] as string;
    expect(parse(...example.split(' '))).toMatchObject({ scenario: 'resume', seed: 7 });
  });
});
