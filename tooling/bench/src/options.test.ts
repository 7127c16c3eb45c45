import { describe, expect, test } from 'vitest';
import { helpText, parseOptions } from './options.ts';
import { EVERYTHING, SCENARIOS, rowIds } from './scenarios.ts';

const ids = (...args: readonly string[]): readonly string[] => parseOptions(args).selections.flatMap(rowIds);
const everyId = EVERYTHING.flatMap(rowIds);

describe('scenarios', () => {
  test('are all of them, or those named by their id or its beginning', () => {
    expect(ids()).toEqual(everyId);
    expect(ids('bulk')).toEqual(everyId.filter((id) => id.startsWith('bulk/')));
    expect(ids('bulk/relayed-3')).toEqual(everyId.filter((id) => id.startsWith('bulk/relayed-3/')));
    expect(ids('bulk/telescoped-4/plain', 'links/idle-bytes')).toEqual(['bulk/telescoped-4/plain', 'links/idle-bytes']);
  });

  test('are compared with those competitors that are named, or with ours under other conditions', () => {
    expect(ids('bulk/relayed-3', '--against', 'plain')).toEqual(['bulk/relayed-3/plain']);
    expect(ids('bulk/relayed-3', '--against', 'plain, tls')).toEqual(['bulk/relayed-3/plain', 'bulk/relayed-3/tls']);
    expect(ids('bulk/eight-streams', '--against', 'plain')).toEqual(['bulk/eight-streams/one-stream']);
    expect(ids('--against', 'plain')).toContain('links/idle-bytes');
  });

  test('have ids of their own, and say what they are', () => {
    expect(new Set(everyId).size).toBe(everyId.length);
    for (const { id, summary } of SCENARIOS) expect(helpText()).toContain(`  ${id.padEnd(30)} ${summary}`);
  });
});

test('links are as many as is said', () => {
  expect([parseOptions([]).links, parseOptions(['--links', '50000']).links]).toEqual([undefined, 50_000]);
  for (const wrong of ['9', '1.5', 'many', '60001'])
    expect(() => parseOptions(['--links', wrong])).toThrow(`--links takes a whole number from 10 to 60000, not ${wrong}`);
});

test('quick is shorter; rounds are counted', () => {
  const usual = parseOptions([]).plan;
  const quick = parseOptions(['--quick', '--rounds', '5']).plan;
  expect(quick.roundMs).toBeLessThan(usual.roundMs);
  expect(usual.rounds).toBe(3);
  expect(quick.rounds).toBe(5);
});

test('the preset is that of any node by default', () => {
  expect(parseOptions([]).preset).toBe('standard');
  expect(parseOptions(['--preset', 'private']).preset).toBe('private');
});

test.each([
  [['bulk/relayed'], /no scenario bulk\/relayed\b[^]*bulk\/relayed-3 /],
  [['bul'], /no scenario bul\b/],
  [['--against', 'nothing'], /nothing called nothing[^]*plain/],
  [['--rounds', '0'], /--rounds takes a whole number from 1/],
  [['--rounds', '2.5'], /--rounds takes a whole number from 1/],
  [['--rounds', ''], /--rounds takes a whole number from 1/],
  [['bulk/relayed-3', '--against', 'ssh'], /none of bulk\/relayed-3 is compared with ssh/],
  [['--preset', 'loud'], /--preset takes one of plain, standard, private, not loud/],
  [['--report', 'results.json'], /--report writes a page, FILE\.html, not results\.json/],
  [['--what'], /--what/],
])('%j is refused with the reason', (args, reason) => {
  expect(() => parseOptions(args)).toThrow(reason);
});
