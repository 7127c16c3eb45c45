import type { ComponentChild } from 'preact';
import type { Anatomy, Layer, Station } from '../model/knowledge.ts';
import { HEIGHT, OUTLINE, WIDTH, nestedShells } from './shells.ts';

type ShellState = 'off' | 'open' | 'sealed';

/** The layers of a connection as one station on its path meets them. */
export function Doll({ anatomy, station }: { readonly anatomy: Anatomy; readonly station: Station }): ComponentChild {
  const { layers } = anatomy;
  const states = layers.map((_, index) => stateAt(index, station));
  return (
    <div class="doll">
      <svg class="doll-drawing" viewBox={`-3 -3 ${WIDTH + 6} ${HEIGHT + 6}`} aria-hidden="true">
        {nestedShells(layers.length).map(({ scale, x, y }, index) => (
          <g key={index} transform={`translate(${x} ${y}) scale(${scale})`}>
            <path class={`shell shell-${states[index] ?? 'sealed'}`} d={OUTLINE} stroke-width={1.6 / scale} />
            {index === layers.length - 1 && <circle class="face" cx="50" cy="36" r="17" />}
          </g>
        ))}
      </svg>
      <ol class="layers" aria-label="Layers, the outermost first">
        {layers.map((layer, index) => (
          <li key={index} class={`layer layer-${states[index] ?? 'sealed'}`}>
            <span class="layer-name">{nameOf(layer)}</span>
            <span class="layer-state">{stateText(states[index] ?? 'sealed', station.name, layer)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function stateAt(index: number, { opened, opens }: Station): ShellState {
  if (index < opened) return 'off';
  return index < opened + opens ? 'open' : 'sealed';
}

function nameOf({ between: [one, other], everyLink }: Layer): string {
  return everyLink === true ? `${one} – ${other}, and each link after it` : `${one} – ${other}`;
}

function stateText(state: ShellState, name: string, { between }: Layer): string {
  if (state === 'off') return 'was taken off before';
  if (state === 'sealed') return `sealed: only ${between[1]} can open it`;
  return name === 'you' ? 'you can open it' : `${name} opens it`;
}
