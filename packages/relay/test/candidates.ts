import { parseEndpoint } from '@matryoshka/wire';
import type { Candidate, Party, RelayRequest } from '../src/index.ts';
import { fakePeer } from './fake-session.ts';

/** A candidate, number `i`, with what is given of it. */
export function candidate(i: number, options: Partial<Candidate> = {}): Candidate {
  return {
    peerId: fakePeer(i),
    endpoint: parseEndpoint(`10.${i & 255}.0.1:999`),
    networks: [`10.${i & 255}.0.0/16`],
    tags: [],
    links: 0,
    roundTripMs: undefined,
    bytesPerSecond: 0,
    ageMs: 0,
    excluded: false,
    ...options,
  };
}

export function party(options: Partial<Party> = {}): Party {
  return { peerId: undefined, networks: [], tags: [], ...options };
}

export function request(options: Partial<RelayRequest> = {}): RelayRequest {
  return { hopsLeft: 1, destination: { endpoint: parseEndpoint('192.0.2.9:999') }, role: 'next-hop', around: [], ...options };
}
