import type { Session } from '@matryoshka/peer';
import { type PeerId, randomItem } from '@matryoshka/session';
import { MatryoshkaError, type RelayDestination } from '@matryoshka/wire';
import { Exclusion, type Known, type Neighbours, isShared, networksOf, peerIdOf, wouldLoop } from './neighbours.ts';
import type { RelayOptions } from './options.ts';
import type { RelayHost } from './relay-host.ts';
import { copyDestination } from './copy-destination.ts';
import { checkedChoice } from './policy/checked-choice.ts';
import { MAX_NESTING } from './relay-link.ts';
import type { Candidate, Party, RelayRequest } from './routing-policy.ts';

/** What the choice of a next hop has to know of the links there are. */
export interface LinkCounts {
  /** Relay links on a session. */
  count(session: Session): number;
  /** Whether a link that came with `port` can go on over a session (R6). */
  free(session: Session, port: bigint): boolean;
  /** Whether the other side of a session allows another request now (R14). */
  room(session: Session): boolean;
}

/** A request that looks for its next hop. */
export interface NextHopRequest {
  readonly previous: Session;
  readonly destination: RelayDestination;
  readonly port: bigint;
  /** Hops after this node. */
  readonly hopsLeft: number;
  /** Those that were asked already. */
  readonly tried: ReadonlySet<Session>;
}

/** What a policy is asked, before it is put into its words. */
interface Question extends Omit<RelayRequest, 'around'> {
  readonly excluded: readonly Known[];
  /** Whom else not to choose, without any judgement of those near them. */
  readonly avoided?: readonly Known[];
}

/** Those who may be chosen, and the session that each would be asked on. */
type Candidates = ReadonlyMap<Candidate, Session>;

/** Chooses neighbours to carry relay links on, by a policy within the exclusions (R4, R18). */
export class NextHops {
  readonly #host: RelayHost;
  readonly #neighbours: Neighbours;
  readonly #options: RelayOptions;
  readonly #links: LinkCounts;

  constructor(host: RelayHost, neighbours: Neighbours, options: RelayOptions, links: LinkCounts) {
    this.#host = host;
    this.#neighbours = neighbours;
    this.#options = options;
    this.#links = links;
  }

  /**
   * The next hop for someone else's request.
   * @throws MatryoshkaError `relay.no-peers-available`; `relay.busy` where all that could be have got enough requests
   */
  next({ previous, destination, port, hopsLeft, tried }: NextHopRequest): Session {
    const neighbours = this.#neighbours;
    // Of an anonymous previous hop behind a relay, that relay is all that is known.
    const excluded = [neighbours.self(), ...neighbours.previous(previous), ...neighbours.destination(destination)];
    const triedPeers = new Set([...tried].map(peerIdOf));
    const question: Question = { hopsLeft: hopsLeft - 1, destination, role: 'next-hop', excluded };
    const usable = (session: Session): boolean =>
      !triedPeers.has(peerIdOf(session)) && !wouldLoop(session, previous) && this.#links.free(session, port);
    const able = this.#candidates(question, usable);
    const withRoom = this.#withRoom(able);
    if (withRoom.size === 0 && able.size > 0) throw new MatryoshkaError('relay.busy');
    try {
      return this.#choose(question, withRoom);
    } catch (error) {
      if (!isPolicyFailure(error)) throw error;
      // What is wrong here is nobody else's affair.
      this.#host.onPolicyFailed?.(error);
      throw new MatryoshkaError('relay.no-peers-available', undefined, { cause: error });
    }
  }

  /**
   * The originator's first relay (R18): the same exclusions, without a previous hop.
   * @param avoid - whom else not to choose (R13)
   * @throws MatryoshkaError `relay.no-peers-available`, `relay.policy-failed`
   */
  gateway(destination: RelayDestination, hops: number, avoid: Iterable<PeerId> = []): Session {
    const avoided = Array.from(avoid, (peerId): Known => ({ peerId, endpoints: [] }));
    const excluded = [this.#neighbours.self(), ...this.#neighbours.destination(destination)];
    const question: Question = { hopsLeft: hops - 1, destination, role: 'gateway', excluded, avoided };
    const able = this.#candidates(question, () => true);
    const withRoom = this.#withRoom(able);
    // Where none has room for another request, its error says when there will be.
    return this.#choose(question, withRoom.size > 0 ? withRoom : able);
  }

  /** Whether a peer that is not connected could be the first relay on the way to `destination`. */
  mayBeGateway(candidate: Known, destination: RelayDestination): boolean {
    return !this.#exclusion([this.#neighbours.self(), ...this.#neighbours.destination(destination)]).excludes(candidate);
  }

  /** Who may be chosen, whatever the policy. */
  #candidates({ excluded, avoided = [] }: Question, usable: (session: Session) => boolean): Candidates {
    const exclusion = this.#exclusion([...excluded, ...avoided]);
    const candidates = new Map<Candidate, Session>();
    for (const [peerId, all] of this.#byPeer()) {
      const peer = this.#neighbours.peer(peerId, all);
      if (exclusion.isOne(peer)) continue;
      // One that is itself relayed is judged by where it is and by where those are that carry it.
      const isNear = (session: Session): boolean => exclusion.isNear(peer) || exclusion.isNear(this.#neighbours.carriersOf(session));
      const able = all.filter((session) => mayRelay(session) && usable(session));
      const offered = this.#options.dangerouslyOfferExcluded ? able : able.filter((session) => !isNear(session));
      const session = this.#best(offered);
      if (session !== undefined) candidates.set(this.#candidate(peer, session, isNear(session)), session);
    }
    return candidates;
  }

  #withRoom(candidates: Candidates): Candidates {
    return new Map([...candidates].filter(([, session]) => this.#links.room(session)));
  }

  /** @throws MatryoshkaError `relay.no-peers-available`, `relay.policy-failed` */
  #choose({ destination, excluded, hopsLeft, role }: Question, candidates: Candidates): Session {
    if (candidates.size === 0) throw new MatryoshkaError('relay.no-peers-available');
    const around = excluded.map((known) => this.#party(known));
    const request: RelayRequest = { hopsLeft, role, destination: copyDestination(destination), around };
    const chosen = checkedChoice(this.#options.policy, request, [...candidates.keys()], this.#host.random);
    if (chosen === undefined) throw new MatryoshkaError('relay.no-peers-available');
    return candidates.get(chosen) as Session;
  }

  #exclusion(excluded: readonly Known[]): Exclusion {
    return new Exclusion(excluded, this.#options.networkBits);
  }

  /** One candidate per peer: who has many sessions is no more likely than others. Anonymous ones are none (R4). */
  #byPeer(): Map<PeerId, Session[]> {
    const byPeer = new Map<PeerId, Session[]>();
    for (const session of this.#host.sessions()) {
      const peerId = peerIdOf(session);
      if (peerId === undefined) continue;
      const others = byPeer.get(peerId);
      if (others === undefined) byPeer.set(peerId, [session]);
      else others.push(session);
    }
    return byPeer;
  }

  /** A direct session to a peer rather than a relayed one. */
  #best(sessions: readonly Session[]): Session | undefined {
    const direct = sessions.filter((session) => session.link.info.kind === 'direct');
    return randomItem(this.#host.random, direct.length > 0 ? direct : sessions);
  }

  #candidate(peer: Known, session: Session, excluded: boolean): Candidate {
    return {
      ...this.#party({ ...peer, endpoints: [...peer.endpoints, ...this.#neighbours.carriersOf(session).endpoints] }),
      peerId: peer.peerId as PeerId,
      endpoint: Object.freeze({ ...session.link.remote }),
      links: this.#links.count(session),
      roundTripMs: session.roundTripMs,
      bytesPerSecond: session.bytesPerSecond,
      ageMs: this.#host.clock.now() - session.openedAtMs,
      excluded,
    };
  }

  #party({ peerId, endpoints }: Known): Party {
    const networks = [...new Set(networksOf(endpoints, this.#options.networkBits))];
    return { peerId, networks, tags: peerId === undefined ? [] : [...(this.#host.tagsOf?.(peerId) ?? [])] };
  }
}

function isPolicyFailure(error: unknown): error is MatryoshkaError {
  return error instanceof MatryoshkaError && error.code === 'relay.policy-failed';
}

/** Whether a session's other side can be chosen at random at all: one that announces relaying. */
function mayRelay(session: Session): boolean {
  return isShared(session) && session.hello?.relaying === true && session.link.info.nesting < MAX_NESTING;
}
