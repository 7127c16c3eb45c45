import { readFileSync } from 'node:fs';

/** What docs/protocol.md §8.5 says that a node knows. */
export interface DocumentedKnowledge {
  readonly path: string;
  readonly node: string;
  readonly addresses: readonly string[];
  readonly identities: readonly string[];
  readonly hopsLeft: readonly number[];
}

export function documentedKnowledge(): readonly DocumentedKnowledge[] {
  return rows('protocol.md', ['path', 'node', 'addresses', 'identities', 'hops left']).map(
    ([path, node, addresses, identities, hopsLeft]) => ({
      path: path as string,
      node: node as string,
      addresses: list(addresses),
      identities: list(identities),
      hopsLeft: list(hopsLeft).map(Number),
    }),
  );
}

/** The fields that docs/protocol.md §8.5 says are handed to every node of a path, as `message: field`, sorted. */
export function documentedFields(): readonly string[] {
  return rows('protocol.md', ['message', 'fields'])
    .flatMap(([message, fields]) => list(fields?.replace('; refused:', ',')).map((field) => `${message?.replaceAll('`', '')}: ${field}`))
    .toSorted();
}

/** What docs/threat-model.md says that two nodes of a path find equal, sorted, as `equalOf` says it. */
export function documentedEqual(path: string): ReadonlyMap<string, readonly string[]> {
  const equal = rows('threat-model.md', ['path', 'two nodes', 'equal']).filter(([of]) => of === path);
  return new Map(
    equal.map(([, nodes, all]) => {
      const [named, rest] = all?.includes(';') === true ? all.split(';') : ['', all];
      const known = list(named).flatMap((name) => (name.length === 1 ? [`address of ${name}`, `identity of ${name}`] : [name]));
      return [nodes as string, [...known, ...list(rest)].toSorted()];
    }),
  );
}

/** The rows of the table with these headings, cell by cell. */
function rows(file: string, headings: readonly string[]): readonly (readonly string[])[] {
  const lines = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8').split('\n');
  const from = lines.indexOf(`| ${headings.join(' | ')} |`);
  if (from < 0) throw new RangeError(`docs/${file} has no table of ${headings.join(', ')}`);
  const end = lines.findIndex((line, i) => i > from && !line.startsWith('|'));
  return lines.slice(from + 2, end < 0 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function list(cell: string | undefined): readonly string[] {
  return (cell ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
