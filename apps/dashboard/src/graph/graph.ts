import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import type { MapNode, NetworkMap } from '../model/map.ts';
import { Layout } from './layout.ts';
import { type EdgeRates, Overlay } from './overlay.ts';
import { type Palette, readPalette } from './palette.ts';
import { DIAMETERS, stylesheet } from './stylesheet.ts';

/** A few peers are not blown up to fill the map. */
const MAX_ZOOM = 1.35;

export interface GraphParts {
  readonly container: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** Somebody was pointed at; undefined: nobody. */
  readonly onNode: (id: string | undefined) => void;
  readonly onEdge: (id: string) => void;
  readonly label: (node: MapNode) => { readonly text: string; readonly named: boolean };
}

/** What is looked at: these are shown before all others. */
export interface Chosen {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
}

/** The drawn map: peers and lines by Cytoscape, traffic above them. */
export class Graph {
  readonly #parts: GraphParts;
  readonly #core: Core;
  readonly #overlay: Overlay;
  readonly #layout: Layout;
  readonly #radii = new Map<string, number>();
  readonly #resized: ResizeObserver;
  #palette: Palette = readPalette();
  #frame = 0;
  #moving = false;
  #touched = false;
  #shown = '';

  constructor(parts: GraphParts) {
    this.#parts = parts;
    this.#layout = new Layout(parts.container.clientWidth / Math.max(1, parts.container.clientHeight));
    forbidStyleElement();
    this.#core = cytoscape({
      container: parts.container,
      style: stylesheet(this.#palette),
      minZoom: 0.12,
      maxZoom: 3,
      autounselectify: true,
      boxSelectionEnabled: false,
      pixelRatio: Math.min(2, devicePixelRatio),
    });
    this.#overlay = new Overlay(parts.canvas, this.#palette);
    this.#core.on('tap', ({ target }) => {
      if (target === this.#core) parts.onNode(undefined);
    });
    this.#core.on('tap', 'node', ({ target }) => parts.onNode((target as cytoscape.NodeSingular).id()));
    this.#core.on('tap', 'edge', ({ target }) => parts.onEdge((target as cytoscape.EdgeSingular).id()));
    this.#core.on('drag', 'node', ({ target }) => {
      const node = target as cytoscape.NodeSingular;
      this.#layout.move(node.id(), { ...node.position() });
    });
    this.#core.on('dragpan scrollzoom pinchzoom', () => (this.#touched = true));
    // Dots go where the lines go.
    this.#core.on('viewport position', () => this.#draw());
    this.#resized = new ResizeObserver(() => {
      this.#core.resize();
      if (!this.#touched) this.fit();
    });
    this.#resized.observe(parts.container);
    void document.fonts.ready.then(() => this.#core.style().update());
  }

  /** Shows another map, in which whoever is there already stays in place. */
  update(map: NetworkMap, rates: EdgeRates): void {
    const { nodes, edges } = map;
    const places = this.#layout.place(nodes, edges);
    for (const { id, kind } of nodes) this.#radii.set(id, DIAMETERS[kind] / 2);
    const elements = new Map<string, ElementDefinition>();
    for (const node of nodes)
      elements.set(node.id, { group: 'nodes', data: this.#nodeData(node), position: { ...places.get(node.id) } as cytoscape.Position });
    for (const { id, source, target, kind, state } of edges)
      elements.set(id, { group: 'edges', data: { id, source, target, kind, state } });
    this.#core.batch(() => {
      this.#core.elements().forEach((element) => {
        if (!elements.has(element.id())) element.remove();
      });
      for (const [id, definition] of elements) {
        const known = this.#core.getElementById(id);
        if (known.empty()) this.#core.add(definition);
        else if (!sameData(known.data() as object, definition.data)) known.data(definition.data);
      }
    });
    this.#overlay.update(edges, rates);
    this.#draw();
    const shown = nodes
      .map(({ id }) => id)
      .toSorted()
      .join();
    if (shown !== this.#shown && !this.#touched) this.fit();
    this.#shown = shown;
  }

  /** Shows some before all others; undefined: nobody. */
  choose(chosen: Chosen | undefined): void {
    this.#core.batch(() => {
      this.#core.elements().removeClass('chosen faint');
      if (chosen === undefined) return;
      this.#core.elements().forEach((element) => {
        const ids = element.isNode() ? chosen.nodes : chosen.edges;
        element.addClass(ids.has(element.id()) ? 'chosen' : 'faint');
      });
    });
    this.#overlay.chosen = chosen?.edges;
    this.#draw();
  }

  /** Takes the colours of the page again. */
  repaint(): void {
    this.#palette = readPalette();
    this.#overlay.palette = this.#palette;
    this.#core.style(stylesheet(this.#palette));
  }

  fit(): void {
    this.#touched = false;
    if (this.#core.elements().empty()) return;
    this.#core.fit(undefined, 46);
    if (this.#core.zoom() > MAX_ZOOM) {
      this.#core.zoom(MAX_ZOOM);
      this.#core.center();
    }
  }

  /** Nearer by a factor, or further away. */
  zoom(factor: number): void {
    this.#touched = true;
    const { container } = this.#parts;
    this.#core.zoom({
      level: this.#core.zoom() * factor,
      renderedPosition: { x: container.clientWidth / 2, y: container.clientHeight / 2 },
    });
  }

  /** Whether traffic moves, or is shown as it stands. */
  set moving(moving: boolean) {
    this.#moving = moving;
    this.#draw();
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    this.#core.destroy();
  }

  /** Draws traffic now, and on and on for as long as any moves. */
  #draw(): void {
    cancelAnimationFrame(this.#frame);
    const draw = (nowMs: number): void => {
      const any = this.#overlay.draw(this.#moving ? nowMs : undefined, this.#ground());
      if (any && this.#moving) this.#frame = requestAnimationFrame(draw);
    };
    this.#frame = requestAnimationFrame(draw);
  }

  #ground(): Parameters<Overlay['draw']>[1] {
    const zoom = this.#core.zoom();
    const pan = this.#core.pan();
    return {
      zoom,
      place: (id) => {
        const place = this.#layout.placeOf(id);
        return place && { x: place.x * zoom + pan.x, y: place.y * zoom + pan.y, radius: (this.#radii.get(id) ?? 0) * zoom };
      },
    };
  }

  #nodeData(node: MapNode): ElementDefinition['data'] {
    const { text, named } = this.#parts.label(node);
    return { id: node.id, label: text, named, kind: node.kind, relays: node.relays, state: node.state };
  }
}

function sameData(known: object, next: object): boolean {
  return Object.entries(next).every(([key, value]) => (known as Record<string, unknown>)[key] === value);
}

/**
 * Cytoscape writes one rule into a style element, which the content security policy of the page forbids, unless there is an
 * element with that id. The rule is in this page's own style sheet.
 */
function forbidStyleElement(): void {
  const id = '__________cytoscape_stylesheet';
  if (document.getElementById(id) !== null) return;
  const marker = document.createElement('meta');
  marker.id = id;
  document.head.append(marker);
}
