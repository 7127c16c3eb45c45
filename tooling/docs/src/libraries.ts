import { join } from 'node:path';
import { type Conditions, publishedPackages } from '@matryoshka/checks/workspace';

/** One way into a library: what is imported, and the source behind it. */
export interface Entry {
  /** As it is imported: `@matryoshka/transport/tcp`. */
  readonly name: string;
  /** Absolute path of its source. */
  readonly source: string;
}

/** A published library. */
export interface Library {
  readonly name: string;
  /** One sentence of its package.json. */
  readonly description: string;
  /** The main one first. */
  readonly entries: readonly Entry[];
}

/** Every published library, the lowest layer first: what others export again has its page where it is from. */
export function libraries(): readonly Library[] {
  return publishedPackages()
    .filter(({ manifest }) => manifest.exports !== undefined)
    .map(({ folder, manifest: { name, description = '', exports = {} } }) => ({
      name,
      description,
      entries: Object.entries(exports).map(([path, to]) => ({ name: name + path.slice(1), source: join(folder, sourceOf(to)) })),
    }));
}

/** The source of an entry, as Node finds it in this repository. */
function sourceOf(to: Conditions): string {
  if (typeof to === 'string') return to;
  const next = to['node'] ?? to['@matryoshka/source'];
  if (next === undefined) throw new Error(`an entry without its source: ${JSON.stringify(to)}`);
  return sourceOf(next);
}
