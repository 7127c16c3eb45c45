import { formatBytes, formatCount, formatRate } from '../quantities.ts';
import type { Names } from './cast.ts';
import type { Claim } from './claims.ts';
import type { Forwarded, Knowledge, KnowledgeOfAll, KnownPeer } from './knowledge.ts';

const WIDTH = 108;

/** Breaks `text` into lines, each behind `indent` blanks but the first, which has `first` in front. */
export function wrap(text: string, first: string, indent: number): string {
  const lines: string[] = [];
  let line = first.padEnd(indent);
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(indent);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join('\n');
}

/** Columns as wide as their widest cell. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => (row[column] as string).length)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ')}`.trimEnd();
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** What each node learnt, with names put for peer ids; those on the path first, in its order. */
export function knowledgeTable(knowledge: KnowledgeOfAll, names: Names, path: readonly string[]): string {
  const rows: string[][] = [];
  const nothing: string[] = [];
  for (const name of new Set([...path, ...Object.keys(knowledge)])) {
    const { role, forwards, accepted } = knowledge[name] as Knowledge;
    if (role === 'originator') continue;
    if (forwards.length + accepted.length === 0) nothing.push(name);
    rows.push(...accepted.map(({ previousHop, relayPort }) => [name, person(previousHop, names), '-', 'itself', relayPort, '']));
    rows.push(...forwards.map((link) => forwardRow(name, link, names)));
  }
  const lines = [table(['node', 'previous hop', 'next hop', 'destination, hops left', 'relay port', 'carried'], rows)];
  if (nothing.length > 0) lines.push(`  ${nothing.join(', ')} learnt nothing.`);
  return lines.join('\n');
}

function forwardRow(name: string, link: Forwarded, names: Names): string[] {
  const { previousHop, nextHop, destination, hopsLeft, relayPort, bytesForward, bytesBackward } = link;
  return [
    name,
    person(previousHop, names),
    nextHop === null ? '-' : person(nextHop, names),
    `${names.ofEndpoint(destination)}, ${hopsLeft}`,
    relayPort,
    formatBytes(bytesForward + bytesBackward),
  ];
}

function person(peer: KnownPeer, names: Names): string {
  const [host, port] = peer.endpoint.split(':');
  return `${names.ofNeighbour(peer)} (${host}:${port})`;
}

/** The seed's notes, each with whether it was borne out. */
export function claimLines(claims: readonly Claim[]): string {
  return claims.map(({ text, holds }) => wrap(text, holds ? '  ✓ ' : '  ✗ ', 4)).join('\n');
}

/** One line on a transfer. */
export function transferLine(bytes: number, seconds: number, match: boolean): string {
  return `${formatCount(bytes)} bytes in ${seconds.toFixed(2)} s, ${formatRate(bytes / seconds)}; SHA-256 ${match ? 'the same at both ends' : 'DIFFERENT at the two ends'}`;
}
