import type { StylesheetJson } from 'cytoscape';
import type { MapNode } from '../model/map.ts';
import type { Palette } from './palette.ts';

/** In pixels of the map. */
export const DIAMETERS: Readonly<Record<MapNode['kind'], number>> = { you: 48, peer: 34, stranger: 24 };

/** How far the lines bend that are no connections of this node, in pixels of the map: so they do not hide behind others. */
export const BEND = 40;

/** How peers and lines look. Strings in data are drawn on a canvas: whatever is in a name stays text. */
export function stylesheet(palette: Palette): StylesheetJson {
  return [
    {
      selector: 'node',
      style: {
        'width': DIAMETERS.peer,
        'height': DIAMETERS.peer,
        'background-color': palette.surface,
        'border-width': 2,
        'border-color': palette.line,
        'label': 'data(label)',
        'color': palette.text,
        'font-family': palette.font,
        'font-size': 12,
        'font-weight': 500,
        'text-valign': 'bottom',
        'text-margin-y': 6,
        'text-max-width': '110px',
        'text-wrap': 'ellipsis',
        'text-background-color': palette.surface,
        'text-background-opacity': 0.8,
        'text-background-padding': '2px',
        'text-background-shape': 'roundrectangle',
        'min-zoomed-font-size': 7,
        'overlay-opacity': 0,
      },
    },
    { selector: 'node[?relays]', style: { 'border-color': palette.muted, 'border-width': 3 } },
    {
      selector: 'node[?named]',
      style: { 'text-valign': 'center', 'text-margin-y': 0, 'font-size': 14, 'font-weight': 600, 'text-background-opacity': 0 },
    },
    {
      selector: 'node[kind = "you"]',
      style: {
        'width': DIAMETERS.you,
        'height': DIAMETERS.you,
        'background-color': palette.brand,
        'border-color': palette.brand,
        'color': palette.onBrand,
        'text-background-opacity': 0,
        'text-valign': 'center',
        'text-margin-y': 0,
        'font-size': 14,
        'font-weight': 600,
      },
    },
    {
      selector: 'node[kind = "stranger"]',
      style: {
        'width': DIAMETERS.stranger,
        'height': DIAMETERS.stranger,
        'border-style': 'dashed',
        'color': palette.muted,
        'font-weight': 400,
      },
    },
    { selector: 'node[state = "absent"]', style: { 'border-style': 'dashed', 'border-width': 1.5, 'color': palette.muted } },
    { selector: 'node[state = "down"]', style: { 'border-color': palette.bad, 'border-style': 'dashed', 'color': palette.bad } },
    {
      selector: 'edge',
      style: { 'width': 1.5, 'line-color': palette.line, 'curve-style': 'straight', 'overlay-opacity': 0 },
    },
    {
      selector: 'edge[kind != "direct"]',
      style: { 'curve-style': 'unbundled-bezier', 'control-point-distances': [BEND], 'control-point-weights': [0.5] },
    },
    { selector: 'edge[kind = "hop"]', style: { 'line-color': palette.purposes.circuit, 'line-opacity': 0.55 } },
    { selector: 'edge[kind = "veiled"]', style: { 'line-color': palette.veiled, 'line-style': 'dashed', 'line-dash-pattern': [7, 5] } },
    { selector: 'edge[state = "waiting"]', style: { 'line-style': 'dotted', 'line-opacity': 0.35 } },
    { selector: 'edge[state = "broken"]', style: { 'line-color': palette.bad, 'line-style': 'dashed' } },
    { selector: '.faint', style: { opacity: 0.28 } },
    { selector: 'edge.chosen', style: { 'width': 3.5, 'line-opacity': 1, 'opacity': 1 } },
    { selector: 'node.chosen', style: { 'border-color': palette.brand, 'border-width': 4, 'border-style': 'solid', 'opacity': 1 } },
  ];
}
