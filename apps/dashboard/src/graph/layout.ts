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
    const bodies = nodes.map((node, index): Body => {
      const known = node.kind === 'you' ? { x: 0, y: 0 } : this.#places.get(node.id);
      const ring = ringOf(node.distance) * spread;
      if (known !== undefined) return { id: node.id, ring, ...known, fx: known.x, fy: known.y };
      return { id: node.id, ring, ...this.#start(node, edges, ring, (index / nodes.length) * 2 * Math.PI) };
    });
    const simulation = forceSimulation(bodies)
      .force('ring', forceRadial<Body>(({ ring }) => ring).strength(0.5))
      .force('apart', forceManyBody().strength(-260 * spread))
      .force('room', forceCollide(ROOM))
      .force(
        'links',
        forceLink<Body, { source: string; target: string }>(edges.map(({ source, target }) => ({ source, target })))
          .id(({ id }) => id)
          .distance(RING * spread)
          .strength(0.12),
      )
      .stop();
    simulation.tick(STEPS);
    for (const { id, x = 0, y = 0 } of bodies) this.#places.set(id, { x, y });
  }

  /** A newcomer begins near somebody it is linked with, or anywhere on its ring. */
  #start({ id }: MapNode, edges: readonly MapEdge[], ring: number, angle: number): Point {
    const edge = edges.find(
      ({ source, target }) => (source === id && this.#places.has(target)) || (target === id && this.#places.has(source)),
    );
    const near = edge && this.#places.get(edge.source === id ? edge.target : edge.source);
    const towards = near === undefined || (near.x === 0 && near.y === 0) ? angle : Math.atan2(near.y, near.x);
    return { x: Math.cos(towards) * ring, y: Math.sin(towards) * ring };
  }
}

/** Rings come closer the further out they are: what counts is near. */
function ringOf(distance: number): number {
  return RING * distance ** 0.75;
}

/** Rings are wider where the fullest of them would be too narrow for all that are on it. */
function spreadOf(nodes: readonly MapNode[]): number {
  const rings = Map.groupBy(nodes, ({ distance }) => distance);
  const needed = [...rings].map(([distance, { length }]) => (distance === 0 ? 1 : (length * ROOM) / (2 * Math.PI * ringOf(distance))));
  return Math.min(2.5, Math.max(1, ...needed));
}
