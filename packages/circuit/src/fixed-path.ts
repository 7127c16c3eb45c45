import type { Session } from '@matryoshka/peer';
import { type CircuitHost, type Hop, buildCircuit } from './circuit.ts';
import type { CircuitSource } from './circuit-route.ts';

/** Circuits over a path that the user has named: the same path again, or none. */
export function fixedPath(
  host: CircuitHost,
  path: readonly [Hop, ...Hop[]],
  connectFirst: (hop: Hop, signal: AbortSignal) => Promise<Session>,
): CircuitSource {
  const [first, ...rest] = path;
  return {
    take: async (broken, signal) => {
      // It works as far as it goes: another one over the same path would not work better.
      if (broken?.usable === true) return broken;
      const session = await connectFirst(first, signal);
      return buildCircuit(host, { ...first, session }, rest, { signal });
    },
    release: (circuit) => circuit.close(),
  };
}
