import type { Session } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import { addressClass, networkOf } from '@matryoshka/transport';
import type { Endpoint, Hello } from '@matryoshka/wire';

/** How many relay requests a neighbour is told it may make (R14); enforced by the limits of later versions. */
const ALLOWANCE: Hello['allowance'] = { requestsPerSecond: 1000, burst: 1000, handshakes: 256, links: 65_536 };
/** An address that others see this node at counts if so many of them say so, from as many networks. */
const MIN_OBSERVERS = 2;
const OBSERVER_BITS = { ipv4Bits: 16, ipv6Bits: 48 };

/** What is said of this node on a session: over a relay link, or anonymously, nothing that names it or its place. */
export function helloOn(session: Session, relaying: boolean, listening: readonly Endpoint[]): Hello {
  const { link, anonymous } = session;
  if (anonymous) return { type: 'hello', relaying: false, allowance: ALLOWANCE, listening: [] };
  const place =
    link.info.kind === 'direct' ? { observed: withoutRelayPort(link.remote), listening: reachable(listening) } : { listening: [] };
  return { type: 'hello', relaying, allowance: ALLOWANCE, ...place };
}

/** Where this node is, as far as it knows: where it listens, its side of direct connections, and where others see it. */
export function ownEndpoints(sessions: Iterable<Session>, listening: readonly Endpoint[]): Endpoint[] {
  const direct = [...sessions].filter((session) => session.link.info.kind === 'direct');
  return [...reachable(listening), ...direct.map((session) => session.link.local), ...observed(direct)];
}

/** One peer can say anything; two in different networks that agree are believed. */
function observed(direct: readonly Session[]): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  const observers = new Map<string, Set<string>>();
  for (const session of direct) {
    const seen = session.hello?.observed;
    if (seen === undefined || peerIdOf(session) === undefined) continue;
    endpoints.set(seen.host, seen);
    const networks = observers.get(seen.host) ?? new Set();
    observers.set(seen.host, networks.add(networkOf(session.link.remote.host, OBSERVER_BITS)));
  }
  return [...endpoints].filter(([host]) => (observers.get(host)?.size ?? 0) >= MIN_OBSERVERS).map(([, endpoint]) => endpoint);
}

function reachable(listening: readonly Endpoint[]): Endpoint[] {
  return listening.filter(({ host }) => addressClass(host) !== 'unspecified');
}

function withoutRelayPort({ transport, host, port }: Endpoint): Endpoint {
  return { transport, host, port };
}
