import type { Report, Result } from './report.ts';

// One page that needs nothing else: text, and plots as inline SVG.

const PLOT_WIDTH = 420;
const BAR_HEIGHT = 16;
const BAR_GAP = 6;
const COLORS = { ours: '#2f6f4f', theirs: '#a9a9a9' } as const;

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{margin-top:2.5rem;border-bottom:1px solid #ddd}h3{margin:1.6rem 0 .2rem;font-size:1rem}
table{border-collapse:collapse}td,th{padding:.25rem .8rem .25rem 0;text-align:right;vertical-align:middle}
td:first-child,th:first-child{text-align:left}th{font-weight:600;color:#666}p{margin:.2rem 0 .6rem;color:#555}
.missing{color:#a33}pre{white-space:pre-wrap;color:#555}text{font:11px system-ui,sans-serif;fill:#555}`;

/** The results as a page of HTML. */
export function reportHtml({ machine, results, failures }: Report): string {
  const { cpu, cores, memory, node, os, options } = machine;
  const groups = Map.groupBy(results, ({ id }) => id.split('/')[0] as string);
  const sections = [...groups].map(([name, rows]) => `<h2>${escape(name)}</h2>\n${rows.map(resultHtml).join('\n')}`);
  const failed = failures.map(({ id, reason }) => `<p class="missing">${escape(id)} failed: ${escape(reason)}</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Benchmark</title><style>${STYLE}</style></head><body>
<h1>Benchmark</h1>
<p>${escape(`${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(1)} GiB, ${os}, Node ${node}`)}</p>
<p>Bars are medians of the rounds, thin lines reach from the lowest to the highest round. Compare ratios: both sides ran in turn.</p>
${failed.join('\n')}
${sections.join('\n')}
<h2>Options</h2><pre>${escape(JSON.stringify(options, undefined, 2))}</pre>
</body></html>
`;
}

function resultHtml(result: Result): string {
  const { id, summary, better, missing, ratio, cpuPerGB, memoryPeakBytes, details } = result;
  const sides = (['ours', 'theirs'] as const).filter((name) => result[name] !== null);
  const rows = sides.map((name) => {
    const peak = Math.max(0, ...Object.values(memoryPeakBytes[name] ?? {}));
    const more = Object.entries(details[name] ?? {}).map(([what, value]) => `${what} ${value}`);
    const cells = [name, `${result[name]} ${result.unit}`, cpuPerGB[name] ?? '', `${Math.round(peak / 1e6)} MB`, more.join(', ')];
    return `<tr>${cells.map((cell) => `<td>${escape(String(cell))}</td>`).join('')}</tr>`;
  });
  const note = missing === null ? '' : `<p class="missing">missing: ${escape(missing)}</p>`;
  return `<h3 id="${escape(id)}">${escape(id)}${ratio === null ? '' : `: ${ratio}`}</h3>
<p>${escape(summary)} (${better} is better)</p>${note}
${plot(result)}
<table><tr><th></th><th>median</th><th>CPU s/GB</th><th>largest process</th><th></th></tr>${rows.join('')}</table>`;
}

/** A bar for each side, with the range of its rounds. */
function plot(result: Result): string {
  const sides = (['ours', 'theirs'] as const).flatMap((name) => {
    const [value, spread] = [result[name], result.spread[name]];
    return value === null || spread === null ? [] : [{ name, value, spread }];
  });
  const top = Math.max(...sides.map(({ spread }) => spread[1]));
  const scale = (value: number): number => Math.round((value / (top > 0 ? top : 1)) * PLOT_WIDTH * 10) / 10;
  const bars = sides.map(({ name, value, spread }, i) => {
    const y = i * (BAR_HEIGHT + BAR_GAP);
    const middle = y + BAR_HEIGHT / 2;
    return `<rect x="60" y="${y}" width="${scale(value)}" height="${BAR_HEIGHT}" fill="${COLORS[name]}"/>
<line x1="${60 + scale(spread[0])}" x2="${60 + scale(spread[1])}" y1="${middle}" y2="${middle}" stroke="#222"/>
<text x="0" y="${middle + 4}">${name}</text>`;
  });
  const height = sides.length * (BAR_HEIGHT + BAR_GAP);
  return `<svg width="${PLOT_WIDTH + 70}" height="${height}" role="img" aria-label="${escape(result.id)}">${bars.join('')}</svg>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
