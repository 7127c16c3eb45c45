import type { Pair, Report, Result } from './report.ts';

/** The results for people: one block per scenario. */
export function reportText({ machine, results }: Report): string {
  const { cpu, cores, memory, node, os, options } = machine;
  const head = `${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(1)} GiB, ${os}, Node ${node}\noptions ${JSON.stringify(options)}\n`;
  return [head, ...results.map(resultText)].join('\n');
}

function resultText(result: Result): string {
  const { id, unit, ratio, spread, cpuPerGB, memoryPeakBytes } = result;
  const lines = [`${id}${ratio === null ? '' : `   ratio ${ratio}`}`];
  const names: readonly (keyof Pair<unknown>)[] = result.theirs === null ? ['ours'] : ['ours', 'theirs'];
  for (const name of names) {
    const range = spread[name] as readonly [number, number];
    const cpu = cpuPerGB[name];
    lines.push(
      `  ${name.padEnd(7)}${String(result[name]).padStart(7)} ${unit} (${range[0]} to ${range[1]})` +
        (cpu === null ? '' : `   CPU ${cpu} s/GB`) +
        `   memory ${megabytes(memoryPeakBytes[name] ?? {})}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function megabytes(peaks: Readonly<Record<string, number>>): string {
  return Object.entries(peaks)
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1e6)} MB`)
    .join(', ');
}
