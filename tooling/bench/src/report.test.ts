import { describe, expect, test } from 'vitest';
import { reportText } from './report-text.ts';
import { type Side, cpuPerGB, describeMachine, resultOf } from './report.ts';
import type { Sample } from './scenario.ts';

const id = 'bulk/relayed-3/plain';
const scenario = { summary: 'one stream', unit: 'MB/s', better: 'higher' } as const;

function sample(value: number, cpuSeconds: Record<string, number>, bytes = 1e9): Sample {
  return { value, seconds: bytes / 1e6 / value, bytes, cpuSeconds };
}

const ours: Side = {
  samples: [sample(100, { A: 2, B: 4 }), sample(150, { A: 1, B: 3 }), sample(120, { A: 2, B: 3 })],
  usage: new Map([
    ['A', { cpuSeconds: 5, maxRssBytes: 100e6 }],
    ['B', { cpuSeconds: 10, maxRssBytes: 120e6 }],
  ]),
};
const theirs: Side = {
  samples: [sample(400, { source: 1 }), sample(600, { source: 1 }), sample(480, { source: 1 })],
  usage: new Map([['source', { cpuSeconds: 3, maxRssBytes: 80e6 }]]),
};

describe('a result', () => {
  test('holds medians, their ratio, the spread, and what it cost', () => {
    expect(resultOf(scenario, id, ours, theirs)).toMatchObject({
      id: 'bulk/relayed-3/plain',
      unit: 'MB/s',
      ours: 120,
      theirs: 480,
      ratio: 0.25,
      spread: { ours: [100, 150], theirs: [400, 600] },
      cpuPerGB: { ours: 5, theirs: 1 },
      cpuRatio: 5,
      memoryPeakBytes: { ours: { A: 100e6, B: 120e6 }, theirs: { source: 80e6 } },
    });
  });

  test('holds every round of both sides, as they were measured', () => {
    const { rounds } = resultOf(scenario, id, ours, theirs);
    expect(rounds).toHaveLength(3);
    expect(rounds[0]).toEqual({
      ours: { value: 100, seconds: 10, bytes: 1e9, cpuPerGB: 6, cpuSeconds: { A: 2, B: 4 }, details: {} },
      theirs: { value: 400, seconds: 2.5, bytes: 1e9, cpuPerGB: 1, cpuSeconds: { source: 1 }, details: {} },
    });
  });

  test('has null where there is no counterpart', () => {
    const result = resultOf(scenario, id, ours, undefined);
    expect(result).toMatchObject({ theirs: null, ratio: null, spread: { theirs: null }, cpuPerGB: { theirs: null }, cpuRatio: null });
    expect(result.rounds.every((round) => round.theirs === null)).toBe(true);
  });

  test('says why the other side is missing', () => {
    const result = resultOf(scenario, id, ours, { missing: 'not installed: tor' });
    expect(result).toMatchObject({ theirs: null, ratio: null, missing: 'not installed: tor' });
    expect(reportText({ machine: describeMachine({}), results: [result], failures: [] })).toContain(`${id}   MISSING: not installed: tor`);
    expect(resultOf(scenario, id, ours, theirs).missing).toBeNull();
  });

  test('holds the medians of what else was measured', () => {
    const samples = ours.samples.map((one, i) => ({ ...one, details: { p99Ms: [3, 1, 2][i] as number } }));
    expect(resultOf(scenario, id, { ...ours, samples }, theirs).details).toEqual({ ours: { p99Ms: 2 }, theirs: {} });
  });

  test('has no CPU time per byte where no bytes were counted', () => {
    const counted: Sample = { value: 3, seconds: 1, cpuSeconds: { A: 1 } };
    expect(cpuPerGB(counted)).toBeNull();
    expect(resultOf(scenario, id, { ...ours, samples: [counted] }, undefined)).toMatchObject({
      cpuPerGB: { ours: null },
      rounds: [{ ours: { bytes: null, cpuPerGB: null } }],
    });
  });

  test('survives JSON unchanged', () => {
    const report = { machine: describeMachine({ rounds: 3 }), results: [resultOf(scenario, id, ours, theirs)], failures: [] };
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

test('for people it is a few lines with the same figures', () => {
  const text = reportText({ machine: describeMachine({ rounds: 3 }), results: [resultOf(scenario, id, ours, theirs)], failures: [] });
  expect(text).toContain('bulk/relayed-3/plain   ratio 0.25   ratio of CPU 5\n');
  expect(text).toMatch(/ours +120 MB\/s \(100 to 150\) {3}CPU 5 s\/GB {3}memory A 100 MB, B 120 MB/);
  expect(text).toMatch(/theirs +480 MB\/s \(400 to 600\) {3}CPU 1 s\/GB {3}memory source 80 MB/);
});

test('the machine is named as results need it', () => {
  expect(describeMachine({ rounds: 3 })).toEqual({
    cpu: expect.any(String) as unknown,
    cores: expect.any(Number) as unknown,
    memory: expect.any(Number) as unknown,
    node: process.version,
    os: expect.any(String) as unknown,
    options: { rounds: 3 },
  });
});
