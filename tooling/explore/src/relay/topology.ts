import { type Random, randomBelow, randomItem } from '@matryoshka/session';

/** What the connections of a network look like. */
export type Shape = 'ring' | 'tree' | 'star' | 'sparse' | 'dense';

/** A connection that is there from the beginning. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** All of more nodes than these are never connected to each other: it costs time and shows nothing new. */
export const MAX_DENSE_NODES = 9;

/** Every node can be reached from every other one; some shapes have ways around, others have none. */
export function drawTopology(random: Random, nodes: number, dense: boolean): { readonly shape: Shape; readonly edges: readonly Edge[] } {
  const shapes: readonly Shape[] =
    nodes <= MAX_DENSE_NODES ? ['ring', 'tree', 'star', 'sparse', 'dense', 'dense'] : ['ring', 'tree', 'star', 'sparse', 'sparse'];
  const shape = dense ? 'dense' : (randomItem(random, shapes) as Shape);
  const pairs = new Set<string>();
  const edges: Edge[] = [];
  const join = (a: number, b: number): void => {
    const pair = `${Math.min(a, b)} ${Math.max(a, b)}`;
    if (a === b || pairs.has(pair)) return;
    pairs.add(pair);
    // It does not matter who dialled.
    edges.push(randomBelow(random, 2) === 0 ? { from: a, to: b } : { from: b, to: a });
  };
  for (let i = 1; i < nodes; i++) {
    switch (shape) {
      case 'ring':
        join(i, i - 1);
        break;
      case 'star':
        join(i, 0);
        break;
      case 'dense':
        for (let j = 0; j < i; j++) join(i, j);
        break;
      case 'tree':
      case 'sparse':
        join(i, randomBelow(random, i));
        break;
      default:
        shape satisfies never;
    }
  }
  if (shape === 'ring') join(0, nodes - 1);
  if (shape === 'sparse') for (let i = 0; i < 2 * nodes; i++) join(randomBelow(random, nodes), randomBelow(random, nodes));
  return { shape, edges };
}
