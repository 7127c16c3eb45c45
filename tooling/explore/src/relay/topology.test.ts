import { seededRandom } from '@matryoshka/simulation';
import { expect, test } from 'vitest';
import { type Shape, drawTopology } from './topology.ts';

test('a topology connects every node with every other one somehow, nobody twice, in every shape', () => {
  const random = seededRandom(1);
  const shapes = new Set<Shape>();
  for (let i = 0; i < 500; i++) {
    const nodes = 5 + (i % 36);
    const { shape, edges } = drawTopology(random, nodes, false);
    shapes.add(shape);
    expect(new Set(edges.map(({ from, to }) => `${Math.min(from, to)} ${Math.max(from, to)}`)).size).toBe(edges.length);
    const reached = new Set([0]);
    // As many rounds as the longest way is long.
    for (let round = 0; round < nodes; round++)
      for (const { from, to } of edges) if (reached.has(from) || reached.has(to)) reached.add(from).add(to);
    expect(reached.size).toBe(nodes);
  }
  expect([...shapes].toSorted()).toEqual(['dense', 'ring', 'sparse', 'star', 'tree']);
});
