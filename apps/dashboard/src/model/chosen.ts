import type { MapEdge, NetworkMap } from './map.ts';

/** What of the map is looked at: all else steps back. */
export function chosenOn(
  { nodes, edges }: NetworkMap,
  selection: { readonly kind: 'peer' | 'connection' | 'relay-link'; readonly id: string },
): { readonly nodes: ReadonlySet<string>; readonly edges: ReadonlySet<string> } | undefined {
  const chosen = edges.filter((edge) => isChosen(edge, selection));
  const ends = new Set(chosen.flatMap(({ source, target }) => [source, target]));
  if (selection.kind === 'peer' && nodes.some(({ id }) => id === selection.id)) ends.add(selection.id);
  // What is gone is no reason to see nothing.
  return ends.size === 0 ? undefined : { nodes: ends, edges: new Set(chosen.map(({ id }) => id)) };
}

function isChosen(edge: MapEdge, { kind, id }: { readonly kind: string; readonly id: string }): boolean {
  if (kind === 'peer') return edge.source === id || edge.target === id;
  if (kind === 'connection') return edge.connections.includes(id);
  return edge.flows.some(({ counters }) => counters === id);
}
