import { describe, expect, test } from 'vitest';
import { reportHtml } from './report-html.ts';
import { type Report, type Side, describeMachine, resultOf } from './report.ts';

function side(values: readonly number[], processName = 'A', bytes?: number): Side {
  const samples = values.map((value) => ({
    value,
    seconds: 1,
    ...(bytes === undefined ? {} : { bytes }),
    cpuSeconds: { [processName]: value },
  }));
  return { samples, usage: new Map([[processName, { cpuSeconds: 1, maxRssBytes: 50e6 }]]) };
}

function page(over: Partial<Report>): string {
  return reportHtml({ machine: describeMachine({ quick: true }), results: [], failures: [], ...over });
}

const scenario = { summary: 'round trip', unit: 'ms', better: 'lower' } as const;

/** Widths of the bars, of 360. */
function barWidths(html: string): readonly number[] {
  return [...html.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

describe('a page with plots', () => {
  test('has a bar for each side, as long as its median, and a dot for each round', () => {
    const html = page({ results: [resultOf(scenario, 'small/rtt/plain', side([1, 2, 3]), side([3, 4, 4]))] });
    expect(html).toContain('small/rtt/plain: 0.5');
    expect(html).toContain('round trip (lower is better)');
    expect(barWidths(html)).toEqual([180, 360]);
    expect([...html.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x) - 60)).toEqual([90, 180, 270, 270, 360, 360]);
  });

  test('shows CPU time beside, where bytes were counted', () => {
    const html = page({ results: [resultOf(scenario, 'bulk/x/plain', side([2, 2, 2], 'A', 1e9), side([4, 4, 4], 'B', 2e9))] });
    expect(barWidths(html)).toEqual([180, 360, 360, 360]);
    expect(html).toContain('CPU seconds per GB, lower is better');
  });

  test('says what is missing, and what failed', () => {
    const html = page({
      results: [resultOf(scenario, 'small/rtt/tor', side([1, 2, 3]), { missing: 'not installed: tor' })],
      failures: [{ id: 'build/direct', reason: 'B died' }],
    });
    expect(html).toContain('missing: not installed: tor');
    expect(html).toContain('build/direct failed: B died');
    expect(barWidths(html)).toEqual([240]);
  });

  test('needs nothing from elsewhere, and is light or dark', () => {
    const html = page({ results: [resultOf(scenario, 'small/rtt/plain', side([1]), side([2]))] });
    expect(html).not.toMatch(/https?:|<script|<link|<img|src=|url\(|@import/);
    expect(html).toContain('@media (prefers-color-scheme:dark)');
  });

  test('shows any text as it is, wherever it comes from', () => {
    const evil = `"'><script>alert(1)</script>&amp;`;
    const shown = `&quot;'&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;`;
    const texts = { ...scenario, summary: `summary ${evil}`, unit: `unit ${evil}` };
    const html = page({
      machine: { ...describeMachine({ missing: { tor: evil } }), cpu: `cpu ${evil}`, os: `os ${evil}` },
      results: [
        resultOf(texts, `id ${evil}`, side([1], `process ${evil}`, 1), side([1])),
        resultOf(texts, 'x', side([1]), { missing: `missing ${evil}` }),
      ],
      failures: [{ id: `failed ${evil}`, reason: `reason ${evil}` }],
    });
    for (const what of ['summary', 'unit', 'cpu', 'os', 'id', 'process', 'missing', 'failed', 'reason'])
      expect(html).toContain(`${what} ${shown}`);
    expect(html).not.toContain('<script');
    expect(html).toContain(`<h3 id="id ${shown}">`);
  });
});
