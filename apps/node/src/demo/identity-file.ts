import { join } from 'node:path';

/** The file that a node's identity is kept in, so that it is the same node the next time. */
export function identityFile(folder: string, name: string): string {
  return join(folder, `${name}.key`);
}
