import type { Pair, Report, Result } from './report.ts';

/** The results for people: one block per row. */
export function reportText({ machine, results, failures }: Report): string {
  const { cpu, cores, memory, node, os, options } = machine;
  const head = `${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(1)} GiB, ${os}, Node ${node}\noptions ${JSON.stringify(options)}\n`;
  const failed = failures.map(({ id, reason }) => `${id}   FAILED: ${reason}\n`);
  return [head, ...results.map(resultText), ...failed].join('\n');
}

function resultText(result: Result): string {
  const { id, unit, ratio, cpuRatio, missing, spread, cpuPerGB, details, memoryPeakBytes } = result;
  const heading = [
    id,
    ...(ratio === null ? [] : [`ratio ${ratio}`]),
    ...(cpuRatio === null ? [] : [`ratio of CPU ${cpuRatio}`]),
    ...(missing === null ? [] : [`MISSING: ${missing}`]),
  ];
  const lines = [heading.join('   ')];
  const names: readonly (keyof Pair<unknown>)[] = result.theirs === null ? ['ours'] : ['ours', 'theirs'];
  for (const name of names) {
    const range = spread[name] as readonly [number, number];
    const cpu = cpuPerGB[name];
    lines.push(
      `  ${name.padEnd(7)}${String(result[name]).padStart(7)} ${unit} (${range[0]} to ${range[1]})` +
        (cpu === null ? '' : `   CPU ${cpu} s/GB`) +
        `   memory ${megabytes(memoryPeakBytes[name] ?? {})}`,
    );
    const more = Object.entries(details[name] ?? {}).map(([what, value]) => `${what} ${value}`);
    if (more.length > 0) lines.push(`  ${' '.repeat(7)}${more.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function megabytes(peaks: Readonly<Record<string, number>>): string {
  return Object.entries(peaks)
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1e6)} MB`)
    .join(', ');
}
