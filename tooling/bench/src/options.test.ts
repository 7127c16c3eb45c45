import { describe, expect, test } from 'vitest';
import { helpText, parseOptions } from './options.ts';
import { SCENARIOS } from './scenarios.ts';

const ids = (...args: readonly string[]): readonly string[] => parseOptions(args).scenarios.map(({ id }) => id);

describe('scenarios', () => {
  test('are all of them, or those named by their id or its beginning', () => {
    expect(ids()).toEqual(SCENARIOS.map(({ id }) => id));
    expect(ids('bulk')).toEqual(SCENARIOS.map(({ id }) => id).filter((id) => id.startsWith('bulk/')));
    expect(ids('bulk/relayed-3')).toEqual(['bulk/relayed-3/plain']);
    expect(ids('bulk/telescoped-4/plain')).toEqual(['bulk/telescoped-4/plain']);
  });

  test('can be chosen by what they are compared with', () => {
    expect(ids('--against', 'plain')).toEqual(SCENARIOS.filter(({ against }) => against === 'plain').map(({ id }) => id));
  });

  test('have ids of their own, and say what they are', () => {
    expect(new Set(SCENARIOS.map(({ id }) => id)).size).toBe(SCENARIOS.length);
    for (const { id, summary } of SCENARIOS)
      expect(helpText()).toMatch(new RegExp(`^ *${id} +${summary.replaceAll(/[()]/g, '\\$&')}$`, 'm'));
  });
});

test('quick is shorter; rounds are counted', () => {
  const usual = parseOptions([]).plan;
  const quick = parseOptions(['--quick', '--rounds', '5']).plan;
  expect(quick.roundMs).toBeLessThan(usual.roundMs);
  expect(usual.rounds).toBe(3);
  expect(quick.rounds).toBe(5);
});

test.each([
  [['bulk/relayed'], /no scenario bulk\/relayed\b[^]*bulk\/relayed-3\/plain/],
  [['bul'], /no scenario bul\b/],
  [['--against', 'nothing'], /nothing called nothing[^]*plain/],
  [['--rounds', '0'], /--rounds takes a whole number from 1/],
  [['--rounds', '2.5'], /--rounds takes a whole number from 1/],
  [['--rounds', ''], /--rounds takes a whole number from 1/],
  [['--what'], /--what/],
])('%j is refused with the reason', (args, reason) => {
  expect(() => parseOptions(args)).toThrow(reason);
});
