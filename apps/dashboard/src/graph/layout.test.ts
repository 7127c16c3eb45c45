import { describe, expect, test } from 'vitest';
import type { MapEdge, MapNode } from '../model/map.ts';
import { Layout } from './layout.ts';

const node = (id: string, distance: number): MapNode => ({
  id,
  distance,
  peerId: id,
  kind: distance === 0 ? 'you' : 'peer',
  relays: true,
  state: 'present',
  count: 1,
});
const edge = (source: string, target: string): MapEdge => ({
  id: source + target,
  source,
  target,
  kind: 'direct',
  state: 'open',
  flows: [],
  connections: [],
});
const star = (count: number): { nodes: MapNode[]; edges: MapEdge[] } => ({
  nodes: [node('me', 0), ...Array.from({ length: count }, (_, index) => node(`p${index}`, 1))],
  edges: Array.from({ length: count }, (_, index) => edge('me', `p${index}`)),
});

describe('the layout', () => {
  test('puts this node into the middle, and nobody on top of anybody else', () => {
    const { nodes, edges } = star(30);
    const places = new Layout().place(nodes, edges);
    expect(places.get('me')).toEqual({ x: 0, y: 0 });
    const points = [...places.values()];
    const distances = points.flatMap((a, index) => points.slice(index + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y)));
    expect(Math.min(...distances)).toBeGreaterThan(38);
  });

  test('puts who is more hops away further out', () => {
    const places = new Layout().place(
      [node('me', 0), node('b', 1), node('c', 2), node('d', 3)],
      [edge('me', 'b'), edge('b', 'c'), edge('c', 'd')],
    );
    const away = ['b', 'c', 'd'].map((id) => Math.hypot(places.get(id)?.x ?? 0, places.get(id)?.y ?? 0));
    expect(away).toEqual(away.toSorted((a, b) => a - b));
  });

  test('leaves everybody where they are when somebody comes or goes', () => {
    const layout = new Layout();
    const { nodes, edges } = star(10);
    const before = new Map(layout.place(nodes, edges));
    layout.place([...nodes.slice(0, 9), node('new', 1)], [...edges.slice(0, 8), edge('me', 'new')]);
    const after = layout.place(nodes, edges);
    for (const { id } of nodes) expect(after.get(id), id).toEqual(before.get(id));
    expect(after.has('new')).toBe(true);
  });

  test('is the same each time', () => {
    const { nodes, edges } = star(20);
    expect([...new Layout().place(nodes, edges)]).toEqual([...new Layout().place(nodes, edges)]);
  });

  test('keeps what was moved by hand', () => {
    const layout = new Layout();
    const { nodes, edges } = star(5);
    layout.place(nodes, edges);
    layout.move('p1', { x: 500, y: 1 });
    expect(layout.place(nodes, edges).get('p1')).toEqual({ x: 500, y: 1 });
  });
});
