import { type SimulationNodeDatum, forceCollide, forceLink, forceManyBody, forceRadial, forceSimulation } from 'd3-force';
import type { MapEdge, MapNode } from '../model/map.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Between one ring of peers and the next, for a few of them. */
const RING = 150;
/** Room that a peer and its label take. */
const ROOM = 38;
const STEPS = 160;
/** Turned by this each time, no two of any number have the same direction. */
const GOLDEN_ANGLE: number = Math.PI * (3 - Math.sqrt(5));

interface Body extends SimulationNodeDatum {
  readonly id: string;
  readonly ring: number;
}

/**
 * Places peers around this node: the further away in hops, the further out. Whoever has a place keeps it, so that the map
 * stays the one that somebody has looked at; only newcomers look for theirs.
 */
export class Layout {
  readonly #places = new Map<string, Point>();
  readonly #stretch: Point;

  /** @param aspect - width of the map by its height: rings are as much wider than high, within reason */
  constructor(aspect = 1) {
    const width = Math.sqrt(Math.min(1.8, Math.max(0.7, aspect)));
    this.#stretch = { x: width, y: 1 / width };
  }

  place(nodes: readonly MapNode[], edges: readonly MapEdge[]): ReadonlyMap<string, Point> {
    const there = new Set(nodes.map(({ id }) => id));
    const newcomers = nodes.filter(({ id }) => !this.#places.has(id)).length;
    if (newcomers === 0) return this.#places;
    // Where most are new there is nothing to get used to yet.
    if (newcomers > nodes.length / 2) this.#places.clear();
    this.#settle(
      nodes,
      edges.filter(({ source, target }) => there.has(source) && there.has(target)),
    );
    return this.#places;
  }

  placeOf(id: string): Point | undefined {
    return this.#places.get(id);
  }

  /** Somebody was moved by hand. */
  move(id: string, to: Point): void {
    this.#places.set(id, to);
  }

  #settle(nodes: readonly MapNode[], edges: readonly MapEdge[]): void {
    const spread = spreadOf(nodes);
    const bodies: Body[] = [];
    // From the inside outwards: whoever comes later begins beside whom it is linked with.
    const { x: width, y: height } = this.#stretch;
    const begun = new Map([...this.#places].map(([id, { x, y }]) => [id, { x: x / width, y: y / height }]));
    for (const [index, node] of nodes.toSorted((a, b) => a.distance - b.distance).entries()) {
      const ring = ringOf(node.distance) * spread;
      const known = node.kind === 'you' ? { x: 0, y: 0 } : begun.get(node.id);
      const place = known ?? beginning(node, edges, begun, ring, index * GOLDEN_ANGLE);
      begun.set(node.id, place);
      bodies.push({ id: node.id, ring, ...place, ...(known !== undefined && { fx: known.x, fy: known.y }) });
    }
    const links = edges.map(({ source, target }) => ({ source, target }));
    const simulation = forceSimulation(bodies)
      .force('ring', forceRadial<Body>(({ ring }) => ring).strength(0.9))
      .force('apart', forceManyBody().strength(-900 * spread))
      .force('room', forceCollide(ROOM))
      .force(
        'links',
        forceLink<Body, (typeof links)[number]>(links)
          .id(({ id }) => id)
          .distance(RING * spread)
          .strength(0.04),
      )
      .stop();
    simulation.tick(STEPS);
    for (const { id, x = 0, y = 0 } of bodies) if (!this.#places.has(id)) this.#places.set(id, { x: x * width, y: y * height });
  }
}

/** On its ring: in the direction of somebody it is linked with, else wherever there is room. */
function beginning({ id }: MapNode, edges: readonly MapEdge[], begun: ReadonlyMap<string, Point>, ring: number, angle: number): Point {
  const ends = edges.flatMap(({ source, target }) => (source === id ? [target] : target === id ? [source] : []));
  const near = ends.map((end) => begun.get(end)).find((place) => place !== undefined && Math.hypot(place.x, place.y) > 1);
  // A little beside it, so that two of them do not begin on top of each other.
  const towards = near === undefined ? angle : Math.atan2(near.y, near.x) + 0.2 * Math.sin(angle);
  return { x: Math.cos(towards) * ring, y: Math.sin(towards) * ring };
}

/** Rings come closer the further out they are: what counts is near. */
function ringOf(distance: number): number {
  return RING * distance ** 0.6;
}

/** Rings are wider where the fullest of them would be too narrow for all that are on it. */
function spreadOf(nodes: readonly MapNode[]): number {
  const rings = Map.groupBy(nodes, ({ distance }) => distance);
  const needed = [...rings].map(([distance, { length }]) => (distance === 0 ? 1 : (length * ROOM) / (2 * Math.PI * ringOf(distance))));
  return Math.min(2.5, Math.max(1, ...needed));
}
