import { join } from 'node:path';
import { parseDestination } from '@matryoshka/node';
import { readIfThere } from '../read-if-there.ts';
import { writeFileAtomically } from '../write-file.ts';

// Peers that were joined. The configuration is its owner's to write; what commands learn is kept beside it.

/** The file in the data folder: one peer per line. */
export function joinedPeersFile(data: string): string {
  return join(data, 'peers');
}

/** @throws CliError `config.unreadable`, `config.invalid` */
export async function readJoinedPeers(data: string): Promise<readonly string[]> {
  const content = (await readIfThere(joinedPeersFile(data))) ?? '';
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/**
 * Writes down where a peer is; what was known of it before is replaced.
 * @param places - `peerId[+staticKey]@host:port` each, of one peer
 */
export async function replaceJoinedPeers(
  data: string,
  places: readonly string[],
  { forgetOthers = false }: { readonly forgetOthers?: boolean } = {},
): Promise<void> {
  const ids = new Set(places.map(peerIdOf));
  const others = forgetOthers ? [] : (await readJoinedPeers(data)).filter((other) => !ids.has(peerIdOf(other)));
  await writeFileAtomically(joinedPeersFile(data), `${[...others, ...places].join('\n')}\n`);
}

/** The id in `peerId[+staticKey]@host:port`. */
export function peerIdOf(place: string): string {
  const destination = parseDestination(place);
  return (destination.type === 'endpoint' ? destination.peerId : undefined) ?? place;
}
