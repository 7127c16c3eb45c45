import type { Session } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import { addressClass, networkOf } from '@matryoshka/transport';
import { type Allowance, type Endpoint, type Hello, parseAddress } from '@matryoshka/wire';

/** What is said by whoever is nobody: the same by all, for what a node allows would tell it from others. */
const ANONYMOUS_ALLOWANCE: Allowance = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
/** An address that others see this node at counts if so many of them say so, from as many networks. */
const MIN_OBSERVERS = 2;
const OBSERVER_BITS = { ipv4Bits: 16, ipv6Bits: 48 };

/** What a node says of itself where it shows who it is. */
export interface Announced {
  readonly relaying: boolean;
  /** What the other side may ask. */
  readonly allowance: Allowance;
  readonly listening: readonly Endpoint[];
}

/** What is said of this node on a session: over a relay link, or anonymously, nothing that names it or its place. */
export function helloOn(session: Session, { relaying, allowance, listening }: Announced): Hello {
  const { link, anonymous } = session;
  if (anonymous) return { type: 'hello', relaying: false, allowance: ANONYMOUS_ALLOWANCE, listening: [] };
  const place = link.info.kind === 'direct' ? { ...seenOn(link.remote), listening: reachable(listening) } : { listening: [] };
  return { type: 'hello', relaying, allowance, ...place };
}

/** Where this node is, as far as it knows: where it listens, its side of direct connections, and where others see it. */
export function ownEndpoints(sessions: Iterable<Session>, listening: readonly Endpoint[]): Endpoint[] {
  const direct = [...sessions].filter((session) => session.link.info.kind === 'direct');
  return [...reachable([...listening, ...direct.map((session) => session.link.local)]), ...observed(direct)];
}

/** One peer can say anything; two in different networks that agree are believed. */
function observed(direct: readonly Session[]): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  const observers = new Map<string, Set<string>>();
  for (const session of direct) {
    const seen = session.hello?.observed;
    // Of a name it is not known which network it is in.
    if (seen === undefined || peerIdOf(session) === undefined || parseAddress(session.link.remote.host) === undefined) continue;
    endpoints.set(seen.host, seen);
    const networks = observers.get(seen.host) ?? new Set();
    observers.set(seen.host, networks.add(networkOf(session.link.remote.host, OBSERVER_BITS)));
  }
  return [...endpoints].filter(([host]) => (observers.get(host)?.size ?? 0) >= MIN_OBSERVERS).map(([, endpoint]) => endpoint);
}

/** Those at which others reach this node. */
export function reachable(listening: readonly Endpoint[]): Endpoint[] {
  return listening.filter(({ host }) => addressClass(host) !== 'unspecified');
}

/** Where the other side is seen; a browser knows the name it has dialled and no address. */
function seenOn({ transport, host, port }: Endpoint): { readonly observed?: Endpoint } {
  return parseAddress(host) === undefined ? {} : { observed: { transport, host, port } };
}
