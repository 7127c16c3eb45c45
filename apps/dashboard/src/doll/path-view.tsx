import type { ComponentChild } from 'preact';
import type { Anatomy } from '../model/knowledge.ts';
import { go, place } from '../store/place.ts';
import { Doll } from './doll.tsx';

/** Everybody on a path, and what the one that is looked at knows and can open. */
export function PathView({ anatomy }: { readonly anatomy: Anatomy }): ComponentChild {
  const { stations } = anatomy;
  // Where there are hops, the first of them is who one wants to know about.
  const at = Math.min(place.value.station ?? (stations.length > 2 ? 1 : 0), stations.length - 1);
  const station = stations[at];
  if (station === undefined) return null;
  const step = (event: KeyboardEvent): void => {
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: stations.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= stations.length) return;
    event.preventDefault();
    go({ station: to });
    document.getElementById(`station-${to}`)?.focus();
  };
  return (
    <section aria-labelledby="path-title" class="path">
      <h3 id="path-title">{stations.length === 1 ? 'What this node knows of it' : 'What each one on the path knows'}</h3>
      <div class="stations" role="tablist" aria-label="On the path">
        {stations.map(({ name, detail }, index) => (
          <button
            key={index}
            type="button"
            role="tab"
            id={`station-${index}`}
            aria-selected={index === at}
            aria-controls="station-panel"
            tabIndex={index === at ? 0 : -1}
            title={detail}
            onClick={() => go({ station: index })}
            onKeyDown={step}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="station-panel" aria-labelledby={`station-${at}`}>
        <Doll anatomy={anatomy} station={station} />
        <div class="knowledge">
          <div>
            <h4>{`What ${station.name === 'you' ? 'you know' : `${station.name} knows`}`}</h4>
            <ul class="knows">
              {station.knows.map((fact) => (
                <li key={fact}>{sentence(fact)}</li>
              ))}
            </ul>
          </div>
          {station.hidden.length > 0 && (
            <div>
              <h4>{`Hidden from ${station.name}`}</h4>
              <ul class="hidden-facts">
                {station.hidden.map((fact) => (
                  <li key={fact}>{sentence(fact)}</li>
                ))}
              </ul>
            </div>
          )}
        </div>
      </div>
    </section>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
