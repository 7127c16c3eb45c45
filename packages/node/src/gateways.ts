import type { Session, SessionEnvironment } from '@matryoshka/peer';
import { type RelayService, greetings } from '@matryoshka/relay';
import { type PeerId, randomBelow } from '@matryoshka/session';
import { MatryoshkaError, type RelayDestination } from '@matryoshka/wire';
import type { AddressBook, KnownPeer, Resolved } from './address-book.ts';
import type { SessionRegistry } from './registry.ts';

export interface GatewaysParts {
  readonly environment: SessionEnvironment;
  readonly sessions: SessionRegistry;
  readonly relay: RelayService;
  readonly book: AddressBook;
  /** Makes a new direct connection to a peer that was resolved. */
  dial(to: Resolved, signal: AbortSignal): Promise<Session>;
}

/** Finds the first relay of one's own relay links (R18). */
export class Gateways {
  readonly #parts: GatewaysParts;

  constructor(parts: GatewaysParts) {
    this.#parts = parts;
  }

  /** The one that the user named. @throws MatryoshkaError `relay.gateway-unknown`, or what connecting to it failed with */
  async named(name: string, signal: AbortSignal): Promise<Session> {
    const { book, sessions } = this.#parts;
    const to = await book.resolve(name);
    const session = to.peerId === undefined ? to.endpoint && sessions.dialled(to.endpoint) : sessions.to(to.peerId);
    if (session !== undefined) return session;
    if (to.endpoint === undefined || to.relay !== undefined) {
      throw new MatryoshkaError(
        'relay.gateway-unknown',
        `no connection to the gateway ${name}, and no endpoint of it is known: name it as peerId@host:port`,
      );
    }
    return this.#parts.dial(to, signal);
  }

  /**
   * One of the connections at random; without any that may be used, one to a peer known beforehand.
   * @param avoid - others are preferred to these (R13)
   * @throws MatryoshkaError `relay.no-peers-available`, `aborted`
   */
  async random(destination: RelayDestination, hops: number, avoid: ReadonlySet<PeerId>, signal: AbortSignal): Promise<Session> {
    const { environment, relay, sessions } = this.#parts;
    const candidates = (await this.#knownPeers(destination)).filter(({ peerId }) => !avoid.has(peerId));
    await greetings(sessions, environment.clock);
    for (;;) {
      try {
        return relay.chooseGateway(destination, hops, avoid);
      } catch (error) {
        // One after the other: the first that works is enough.
        // oxlint-disable-next-line no-await-in-loop
        const connected = isNoPeers(error) && (await this.#connectToOne(candidates, signal));
        if (connected) continue;
        if (!isNoPeers(error) || avoid.size === 0) throw error;
        return relay.chooseGateway(destination, hops);
      }
    }
  }

  /** Peers known beforehand that may be the first relay: the destination itself, for one, would learn who asks. */
  async #knownPeers(destination: RelayDestination): Promise<KnownPeer[]> {
    const { book, environment, relay, sessions } = this.#parts;
    const known = await book.peers();
    return known.filter(
      ({ peerId, endpoint, others = [] }) =>
        peerId !== environment.identity.peerId &&
        sessions.direct(peerId) === undefined &&
        relay.mayBeGateway({ peerId, endpoints: [endpoint, ...others.map((place) => place.endpoint)] }, destination),
    );
  }

  /** Connects to one of `candidates`, drawn from them at random; false when none is left. */
  async #connectToOne(candidates: KnownPeer[], signal: AbortSignal): Promise<boolean> {
    while (candidates.length > 0) {
      const [candidate] = candidates.splice(randomBelow(this.#parts.environment.random, candidates.length), 1) as [KnownPeer];
      try {
        // oxlint-disable-next-line no-await-in-loop
        const session = await this.#parts.dial(candidate, signal);
        // oxlint-disable-next-line no-await-in-loop
        await greetings([session], this.#parts.environment.clock);
        return true;
      } catch (error) {
        if (signal.aborted) throw error;
      }
    }
    return false;
  }
}

function isNoPeers(error: unknown): boolean {
  return error instanceof MatryoshkaError && error.code === 'relay.no-peers-available';
}
