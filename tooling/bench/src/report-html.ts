import type { Report, Result } from './report.ts';

// One page that needs nothing else: text, and plots as inline SVG, light or dark as the reader's system is.

const PLOT_WIDTH = 360;
const LABEL_WIDTH = 60;
const BAR_HEIGHT = 16;
const BAR_GAP = 6;
const DOT_RADIUS = 2.5;

const STYLE = `:root{color-scheme:light dark;--page:#fff;--text:#222;--soft:#5c5c5c;--line:#ddd;--ours:#2f7d57;--theirs:#a3a3a3;--bad:#a33}
@media (prefers-color-scheme:dark){:root{--page:#16181a;--text:#e4e4e4;--soft:#a5a5a5;--line:#3a3d40;--ours:#4fae80;--theirs:#74787c;--bad:#f08a8a}}
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;background:var(--page);color:var(--text)}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}h3{margin:1.6rem 0 .2rem;font-size:1rem}a{color:inherit}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:right}th{font-weight:600;color:var(--soft)}
td:first-child,th:first-child{text-align:left}p{margin:.2rem 0 .6rem;color:var(--soft)}.missing{color:var(--bad)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;color:var(--soft)}figure{display:inline-block;margin:.2rem 1.5rem .2rem 0}
figcaption,text{font:11px system-ui,sans-serif;color:var(--soft);fill:var(--soft)}
.ours{fill:var(--ours)}.theirs{fill:var(--theirs)}line{stroke:var(--text)}circle{fill:var(--page);stroke:var(--text)}`;

/** The results as a page of HTML. */
export function reportHtml({ machine, results, failures }: Report): string {
  const { cpu, cores, memory, node, os, options } = machine;
  const groups = Map.groupBy(results, ({ id }) => id.split('/')[0] as string);
  const sections = [...groups].map(([name, rows]) => `<h2>${escape(name)}</h2>\n${rows.map(resultHtml).join('\n')}`);
  const failed = failures.map(({ id, reason }) => `<p class="missing">${escape(id)} failed: ${escape(reason)}</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Benchmark</title>
<style>${STYLE}</style></head><body>
<h1>Benchmark</h1>
<p>${escape(`${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(1)} GiB, ${os}, Node ${node}`)}</p>
<p>Bars are medians, dots the rounds. Compare ratios, ours divided by theirs: both sides ran in turn.</p>
${failed.join('\n')}
${overview(results)}
${sections.join('\n')}
<h2>Options</h2><pre>${escape(JSON.stringify(options, undefined, 2))}</pre>
</body></html>
`;
}

/** Every row in a line. */
function overview(results: readonly Result[]): string {
  const rows = results.map(({ id, unit, ours, theirs, ratio, cpuRatio, better }) =>
    row('td', [`<a href="#${escape(id)}">${escape(id)}</a>`, ...[ours, theirs, unit, better, ratio, cpuRatio].map(cell)]),
  );
  return `<table>${row('th', ['', 'ours', 'theirs', 'unit', 'better', 'ratio', 'ratio of CPU per GB'])}
${rows.join('\n')}</table>`;
}

function resultHtml(result: Result): string {
  const { id, summary, unit, better, missing, ratio, cpuPerGB, memoryPeakBytes, details, rounds } = result;
  const sides = (['ours', 'theirs'] as const).filter((name) => result[name] !== null);
  const rows = sides.map((name) => {
    const peaks = Object.entries(memoryPeakBytes[name] ?? {}).map(([process, bytes]) => `${process} ${Math.round(bytes / 1e6)}`);
    const more = Object.entries(details[name] ?? {}).map(([what, value]) => `${what} ${value}`);
    return row('td', [name, result[name], cpuPerGB[name], peaks.join(', '), more.join(', ')].map(cell));
  });
  const values = sides.map((name) => ({
    name,
    median: result[name] as number,
    rounds: rounds.flatMap((round) => round[name]?.value ?? []),
  }));
  const cpu = sides.map((name) => ({ name, median: cpuPerGB[name] ?? 0, rounds: rounds.flatMap((round) => round[name]?.cpuPerGB ?? []) }));
  const note = missing === null ? '' : `<p class="missing">missing: ${escape(missing)}</p>`;
  return `<h3 id="${escape(id)}">${escape(id)}${ratio === null ? '' : `: ${ratio}`}</h3>
<p>${escape(summary)} (${better} is better)</p>${note}
${plot(`${unit}, ${better} is better`, values)}${cpuPerGB.ours === null ? '' : plot('CPU seconds per GB, lower is better', cpu)}
<table>${row('th', ['', `median, ${escape(unit)}`, 'CPU s/GB', 'memory peaks, MB', ''])}${rows.join('')}</table>`;
}

/** One side of a plot. */
interface Bar {
  readonly name: 'ours' | 'theirs';
  readonly median: number;
  readonly rounds: readonly number[];
}

/** A bar for each side, with a dot for each of its rounds. */
function plot(caption: string, bars: readonly Bar[]): string {
  const top = Math.max(...bars.flatMap(({ median, rounds }) => [median, ...rounds]));
  const scale = (value: number): number => Math.round((value / (top > 0 ? top : 1)) * PLOT_WIDTH * 10) / 10;
  const drawn = bars.map(({ name, median, rounds }, i) => {
    const y = i * (BAR_HEIGHT + BAR_GAP);
    const middle = y + BAR_HEIGHT / 2;
    const [left, right] = [Math.min(...rounds), Math.max(...rounds)].map((value) => LABEL_WIDTH + scale(value));
    const dots = rounds.map((value) => `<circle cx="${LABEL_WIDTH + scale(value)}" cy="${middle}" r="${DOT_RADIUS}"/>`);
    return `<text x="0" y="${middle + 4}">${name}</text>
<rect class="${name}" x="${LABEL_WIDTH}" y="${y}" width="${scale(median)}" height="${BAR_HEIGHT}"/>
<line x1="${left}" x2="${right}" y1="${middle}" y2="${middle}"/>${dots.join('')}`;
  });
  const [width, height] = [LABEL_WIDTH + PLOT_WIDTH + 2 * DOT_RADIUS, bars.length * (BAR_HEIGHT + BAR_GAP)];
  return `<figure><svg width="${width}" height="${height}" role="img" aria-label="${escape(caption)}">${drawn.join('')}</svg>
<figcaption>${escape(caption)}</figcaption></figure>`;
}

/** @param cells - as HTML */
function row(element: 'td' | 'th', cells: readonly string[]): string {
  return `<tr>${cells.map((text) => `<${element}>${text}</${element}>`).join('')}</tr>`;
}

function cell(value: string | number | null): string {
  return value === null ? '' : escape(String(value));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
