import type { Session } from '@matryoshka/peer';
import { type PeerId, peerIdFromHash, randomItem } from '@matryoshka/session';
import { type Endpoint, MatryoshkaError, type RelayDestination, formatEndpoint, sameEndpoint } from '@matryoshka/wire';
import { checkDial } from './dial-policy.ts';
import { MadeConnections } from './made-connections.ts';
import { isShared, peerIdOf, wouldLoop } from './neighbours.ts';
import type { RelayOptions } from './options.ts';
import type { RelayHost } from './relay-host.ts';
import { MAX_NESTING } from './relay-link.ts';

/** Finds or makes the connection to a destination, as the last relay before it (R9). */
export class LastHop {
  /** Connections made only to serve relay links. */
  readonly made: MadeConnections;
  readonly #host: RelayHost;
  readonly #options: RelayOptions;
  /** Dials in progress by endpoint: requests that come together share one. */
  readonly #dialling = new Map<string, Promise<Session>>();

  readonly #registered: (session: Session) => boolean;

  /**
   * @param linksOn - relay links on a session
   * @param registered - whether the other side of a session wants to be reached through this node
   */
  constructor(host: RelayHost, options: RelayOptions, linksOn: (session: Session) => number, registered: (session: Session) => boolean) {
    this.#registered = registered;
    this.#host = host;
    this.#options = options;
    this.made = new MadeConnections(host.clock, options.idleMs, linksOn);
  }

  /**
   * A connection there is to the destination, also one that is itself relayed; else a new direct one.
   * @throws MatryoshkaError `relay.loop`, `relay.destination-unreachable`, `relay.destination-forbidden`
   */
  async reach(previous: Session, destination: RelayDestination): Promise<Session> {
    const { endpoint, peer, relay } = destination;
    const peerId = peer && peerIdFromHash(peer);
    if (peerId === this.#host.peerId) throw new MatryoshkaError('relay.loop', 'this relay is the destination itself');
    const existing = this.#existing(previous, destination, peerId);
    if (existing !== undefined) return existing;
    if (endpoint === undefined || relay !== undefined)
      throw new MatryoshkaError('relay.destination-unreachable', 'no connection to the destination here');
    checkDial(endpoint, this.#options.allowDial);
    try {
      return await this.#dial(endpoint);
    } catch (error) {
      // What exactly failed is nobody's business further away (R17).
      throw new MatryoshkaError('relay.destination-unreachable', `${formatEndpoint(endpoint)} could not be reached`, { cause: error });
    }
  }

  #dial(endpoint: Endpoint): Promise<Session> {
    const key = formatEndpoint(endpoint);
    const inProgress = this.#dialling.get(key);
    if (inProgress !== undefined) return inProgress;
    const dial = this.#make(endpoint).finally(() => this.#dialling.delete(key));
    this.#dialling.set(key, dial);
    return dial;
  }

  async #make(endpoint: Endpoint): Promise<Session> {
    const session = await this.#host.dial(endpoint);
    this.made.add(session);
    return session;
  }

  /** A session that counts as one to the destination: dialled there, or authenticated as the peer; claims never count. */
  #existing(previous: Session, { endpoint, relay }: RelayDestination, peerId: PeerId | undefined): Session | undefined {
    // With a relay named, the endpoint is the relay's.
    const dialled = relay === undefined ? endpoint : undefined;
    const found: Session[] = [];
    for (const session of this.#host.sessions()) {
      // First what most of them are not: there may be many.
      const isThere =
        // A demanded peer is what counts: the one at an endpoint may be another by now.
        peerId === undefined
          ? dialled !== undefined && session.dialled !== undefined && sameEndpoint(session.dialled, dialled)
          : peerIdOf(session) === peerId;
      const isUsable = isThere && isShared(session) && !wouldLoop(session, previous) && session.link.info.nesting < MAX_NESTING;
      if (isUsable && (relay === undefined || this.#registered(session))) found.push(session);
    }
    const direct = found.filter((session) => session.link.info.kind === 'direct');
    return randomItem(this.#host.random, direct.length > 0 ? direct : found);
  }
}
