import type { Demo } from '../api/types.ts';

/** Characters of a peer id that are shown from each end; together enough to tell some hundred peers apart. */
const SHOWN = 4;

/** A peer id as people can read it: what all have in common is left out. */
export function shortId(peerId: string): string {
  const rest = peerId.replace(/^mtk1/, '');
  return rest.length <= SHOWN * 2 + 1 ? rest : `${rest.slice(0, SHOWN)}…${rest.slice(-SHOWN)}`;
}

/** Puts names for peer ids: those of a demo where it is one. */
export class Names {
  readonly #names: ReadonlyMap<string, string>;

  constructor(demo: Demo | undefined, self?: string) {
    const names = new Map(Object.entries(demo?.names ?? {}));
    if (self !== undefined && !names.has(self)) names.set(self, 'you');
    this.#names = names;
  }

  of(peerId: string): string {
    return this.#names.get(peerId) ?? shortId(peerId);
  }

  /** Whether it has a name beside its id. */
  has(peerId: string): boolean {
    return this.#names.has(peerId);
  }
}
