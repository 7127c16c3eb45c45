import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A file to replay, and whether it was found in a folder, where there may be others beside vector files. */
export interface VectorPath {
  readonly path: string;
  readonly found: boolean;
}

/** The files themselves, and the `.json` and `.txt` files of the folders and all folders in them, in order of their names. */
export function vectorPaths(paths: readonly string[]): readonly VectorPath[] {
  return paths.flatMap((path) =>
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.(?:json|txt)$/i.test(entry.name))
          .map((entry) => ({ path: join(entry.parentPath, entry.name), found: true }))
          .toSorted((a, b) => (a.path < b.path ? -1 : 1))
      : [{ path, found: false }],
  );
}
