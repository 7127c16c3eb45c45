import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Graph } from '../graph/graph.ts';
import { chosenOn } from '../model/chosen.ts';
import { edgeRates } from '../model/edge-rates.ts';
import { plural } from '../model/format.ts';
import type { MapNode } from '../model/map.ts';
import { live, map, names } from '../store/page.ts';
import { place, select } from '../store/place.ts';
import { theme } from '../store/theme.ts';

const CALM = matchMedia('(prefers-reduced-motion: reduce)');

/** The drawn map. All that is on it is in the lists as well, which is where keyboards and screen readers find it. */
export function MapCanvas(): ComponentChild {
  const container = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [graph, setGraph] = useState<Graph>();
  const { selection } = place.value;
  const network = map.value;
  const look = live.look.value;

  useEffect(() => {
    let made: Graph | undefined;
    let left = false;
    const calm = (): void => {
      if (made !== undefined) made.moving = !CALM.matches;
    };
    // Drawing is the larger part of this page, and comes after its first paint.
    void import('../graph/graph.ts').then(({ Graph: Drawn }) => {
      if (left || container.current === null || canvas.current === null) return;
      made = new Drawn({
        container: container.current,
        canvas: canvas.current,
        onNode: (id) => select(id === undefined ? undefined : { kind: 'peer', id }),
        onEdge: (id) => selectEdge(id),
        label: labelOf,
      });
      calm();
      setGraph(made);
    });
    CALM.addEventListener('change', calm);
    return () => {
      left = true;
      CALM.removeEventListener('change', calm);
      made?.destroy();
    };
  }, []);

  useEffect(() => {
    if (network !== undefined) graph?.update(network, (edge, purpose) => edgeRates(live.meter, edge, purpose));
  }, [graph, network, look]);
  useEffect(() => {
    if (network !== undefined) graph?.choose(selection && chosenOn(network, selection));
  }, [graph, network, selection]);
  useEffect(() => graph?.repaint(), [graph, theme.value]);

  const peers = network?.nodes.filter(({ kind, state }) => kind === 'peer' && state === 'present').length ?? 0;
  return (
    <div class="map">
      <p class="for-readers">{`A drawing of this node and ${plural(peers, 'peer')}; they are listed beside it.`}</p>
      <div class="map-drawing" aria-hidden="true">
        <div ref={container} class="map-graph __________cytoscape_container" />
        <canvas ref={canvas} class="map-traffic" />
      </div>
      <div class="map-tools">
        <button type="button" onClick={() => graph?.zoom(1.3)} aria-label="Nearer">
          +
        </button>
        <button type="button" onClick={() => graph?.zoom(1 / 1.3)} aria-label="Further away">
          −
        </button>
        <button type="button" onClick={() => graph?.fit()}>
          All
        </button>
      </div>
    </div>
  );
}

function labelOf(node: MapNode): { text: string; named: boolean } {
  const { peerId, count, behind } = node;
  if (peerId !== undefined) return { text: names.value.of(peerId), named: names.value.has(peerId) };
  if (behind === undefined) return { text: 'someone', named: false };
  return { text: count === 1 ? 'someone' : plural(count, 'stranger'), named: false };
}

/** A line stands for all that runs there: for one connection where it is one, else for the peer at its end. */
function selectEdge(id: string): void {
  const edge = map.value?.edges.find((each) => each.id === id);
  const [only, another] = edge?.connections ?? [];
  if (edge === undefined) return;
  if (only !== undefined && another === undefined) select({ kind: 'connection', id: only });
  else select({ kind: 'peer', id: edge.target });
}
