import type { MapEdge, Purpose } from '../model/map.ts';
import type { Palette } from './palette.ts';
import { lineBetween } from './line.ts';
import type { Point } from './layout.ts';
import { BEND } from './stylesheet.ts';
import { Stream } from './traffic.ts';

/** Dots that are drawn at once; with more the map would be a fog. */
const MOST_DOTS = 1_500;
const RADIUS = 2.6;
const PURPOSES: readonly Purpose[] = ['own', 'circuit', 'forwarded'];

/** What the overlay is drawn over. */
export interface Ground {
  /** Where somebody is, on the page in pixels from the corner of the map, and how large. */
  place(id: string): (Point & { readonly radius: number }) | undefined;
  readonly zoom: number;
}

/** Rates of an edge, in bytes per second, by whose bytes they are: from source to target, and back. */
export type EdgeRates = (edge: MapEdge, purpose: Purpose) => readonly [number, number];

/** Moving traffic on a canvas above the map. */
export class Overlay {
  readonly #canvas: HTMLCanvasElement;
  readonly #streams = new Map<string, { readonly edge: MapEdge; readonly streams: readonly Stream[] }>();
  #palette: Palette;
  #chosen: ReadonlySet<string> | undefined;
  #lastMs: number | undefined;

  constructor(canvas: HTMLCanvasElement, palette: Palette) {
    this.#canvas = canvas;
    this.#palette = palette;
  }

  set palette(palette: Palette) {
    this.#palette = palette;
  }

  /** Edges that are looked at; the traffic of others is left out. Undefined: all. */
  set chosen(chosen: ReadonlySet<string> | undefined) {
    this.#chosen = chosen;
  }

  /** What there is now, and how much of it. */
  update(edges: readonly MapEdge[], rates: EdgeRates): void {
    const there = new Set(edges.map(({ id }) => id));
    for (const id of this.#streams.keys()) if (!there.has(id)) this.#streams.delete(id);
    for (const edge of edges) {
      const streams =
        this.#streams.get(edge.id)?.streams ??
        PURPOSES.flatMap((purpose, index) => [new Stream(purpose, false, index / 3), new Stream(purpose, true, index / 3 + 0.17)]);
      for (const [index, purpose] of PURPOSES.entries()) {
        const [forward, backward] = rates(edge, purpose);
        (streams[index * 2] as Stream).rate = forward;
        (streams[index * 2 + 1] as Stream).rate = backward;
      }
      this.#streams.set(edge.id, { edge, streams });
    }
  }

  /**
   * Draws the traffic.
   * @param nowMs - what has passed since the last drawing is how far it moves; undefined: it stands still
   * @returns whether there is any
   */
  draw(nowMs: number | undefined, ground: Ground): boolean {
    const seconds = nowMs === undefined ? 0 : Math.min(0.1, (nowMs - (this.#lastMs ?? nowMs)) / 1000);
    this.#lastMs = nowMs;
    const context = this.#cleared();
    if (context === null) return false;
    const paths = { own: new Path2D(), circuit: new Path2D(), forwarded: new Path2D() };
    const radius = RADIUS * Math.min(1.3, Math.max(0.55, ground.zoom));
    let dots = 0;
    for (const { edge, streams } of this.#streams.values()) {
      if (streams.every(({ still }) => still) || (this.#chosen !== undefined && !this.#chosen.has(edge.id))) continue;
      const from = ground.place(edge.source);
      const to = ground.place(edge.target);
      if (from === undefined || to === undefined) continue;
      const line = lineBetween(from, to, edge.kind === 'direct' ? 0 : BEND * ground.zoom);
      if (line === undefined) continue;
      for (const stream of streams) {
        stream.advance(seconds, line.length / ground.zoom);
        // Both directions side by side, each on its right.
        const side = (stream.backward ? -1 : 1) * radius * 1.25;
        for (const way of stream.places()) {
          if (++dots > MOST_DOTS) break;
          const { x, y } = line.at(way, side);
          const path = paths[stream.purpose];
          path.moveTo(x + radius, y);
          path.arc(x, y, radius, 0, 2 * Math.PI);
        }
      }
    }
    for (const purpose of PURPOSES) {
      context.fillStyle = this.#palette.purposes[purpose];
      context.fill(paths[purpose]);
    }
    return dots > 0;
  }

  /** Empties the canvas, and fits it to the place that it has. */
  #cleared(): CanvasRenderingContext2D | null {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(2, devicePixelRatio);
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    const context = this.#canvas.getContext('2d');
    context?.setTransform(scale, 0, 0, scale, 0, 0);
    context?.clearRect(0, 0, clientWidth, clientHeight);
    return context;
  }
}
