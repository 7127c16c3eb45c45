import { expect, test } from 'vitest';
import { reportHtml } from './report-html.ts';
import { type Side, describeMachine, resultOf } from './report.ts';

function side(...values: readonly number[]): Side {
  const samples = values.map((value) => ({ value, seconds: 1, cpuSeconds: { A: 1 } }));
  return { samples, usage: new Map([['A', { cpuSeconds: 1, maxRssBytes: 50e6 }]]) };
}

test('a page holds every row, with bars of the right length, and nothing from elsewhere', () => {
  const scenario = { summary: 'less <is> more', unit: 'ms', better: 'lower' } as const;
  const page = reportHtml({
    machine: describeMachine({ quick: true }),
    results: [
      resultOf(scenario, 'small/rtt/plain', side(1, 2, 3), side(3, 4, 4)),
      resultOf(scenario, 'small/rtt/tor', side(1, 2, 3), { missing: 'not installed: tor' }),
    ],
    failures: [{ id: 'build/direct', reason: 'B & C died' }],
  });
  expect(page).toContain('small/rtt/plain: 0.5');
  // Of 420: medians of 2 and 4 where the longest range reaches 4.
  expect([...page.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))).toEqual([210, 420, 280]);
  expect(page).toContain('missing: not installed: tor');
  expect(page).toContain('less &lt;is&gt; more (lower is better)');
  expect(page).toContain('build/direct failed: B &amp; C died');
  expect(page).not.toMatch(/https?:|<script|src=/);
});
