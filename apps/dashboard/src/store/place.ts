import { type Signal, effect, signal } from '@preact/signals';

/** What is looked at: kept in the fragment of the address, so that a reload and a bookmark lead back to it. */
export const VIEWS = ['map', 'connections', 'circuits', 'relay-links', 'events', 'configuration', 'limits'] as const;
export type View = (typeof VIEWS)[number];

/** What is looked at more closely. */
export type Selection =
  | { readonly kind: 'peer'; readonly id: string }
  | { readonly kind: 'connection'; readonly id: string }
  | { readonly kind: 'relay-link'; readonly id: string };

export interface Place {
  readonly view: View;
  readonly selection: Selection | undefined;
  /** Which station of a path is looked at, 0 being this node; undefined: nobody has said. */
  readonly station: number | undefined;
}

const KINDS: readonly string[] = ['peer', 'connection', 'relay-link'] satisfies Selection['kind'][];

/** Reads a fragment; what is wrong in it is left out. */
export function parsePlace(fragment: string): Place {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const view = VIEWS.find((each) => each === fields.get('view')) ?? 'map';
  const [, kind = '', id = ''] = /^([a-z-]+):(.+)$/.exec(fields.get('select') ?? '') ?? [];
  const selection = KINDS.includes(kind) && id !== '' ? ({ kind, id } as Selection) : undefined;
  const station = /^\d{1,2}$/.test(fields.get('station') ?? '') ? Number(fields.get('station')) : undefined;
  return { view, selection, station };
}

export function formatPlace({ view, selection, station }: Place): string {
  const fields = new URLSearchParams();
  if (view !== 'map') fields.set('view', view);
  if (selection !== undefined) fields.set('select', `${selection.kind}:${selection.id}`);
  if (selection !== undefined && station !== undefined) fields.set('station', String(station));
  return fields.toString();
}

/** Where the page is; follows the address, and leads it. */
export const place: Signal<Place> = signal<Place>({ view: 'map', selection: undefined, station: undefined });

export function go(next: Partial<Place>): void {
  place.value = { ...place.value, ...next };
}

/** @param selection - what is to be looked at more closely; undefined: nothing */
export function select(selection: Selection | undefined): void {
  go({ selection, station: undefined });
}

/** Keeps the address and the place the same; changes of view can be gone back. */
export function followAddress(): void {
  place.value = parsePlace(location.hash);
  let view = place.value.view;
  effect(() => {
    const fragment = formatPlace(place.value);
    if (fragment === location.hash.replace(/^#/, '')) return;
    const address = fragment === '' ? location.pathname : `#${fragment}`;
    if (place.value.view === view) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    view = place.value.view;
  });
  window.addEventListener('popstate', () => {
    place.value = parsePlace(location.hash);
  });
}
