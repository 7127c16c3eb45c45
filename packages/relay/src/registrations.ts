import type { Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import { type NetworkBits, sourceNetwork } from '@matryoshka/transport';
import type { ReasonCode, RelayRegister } from '@matryoshka/wire';
import { peerIdOf } from './neighbours.ts';

/** How many may register with this node (docs/protocol.md §8.6). */
export interface RegistrationLimits {
  /** Registered sessions in all; 0: none are taken. */
  readonly maxRegistrations: number;
  /** Of them, those of one source network whose peers are not known beforehand. */
  readonly maxRegistrationsPerNetwork: number;
}

/** What registrations need of their service. */
export interface RegistrationsHost {
  /** Whether this node forwards relay links for others now. */
  forwards(): boolean;
  isKnown(peerId: PeerId): boolean;
  /** In how many milliseconds something of a session's other side is taken again that may be refused for its reputation. */
  refusesForMs(session: Session): number;
}

/** When a refusal that may pass is worth another try, in milliseconds. */
const RETRY_AFTER_MS = 60_000;
const SOURCE_BITS: NetworkBits = { ipv4Bits: 24, ipv6Bits: 48 };

/**
 * Peers that are reached through this node because they have asked for it, each by a session of its own (R9).
 *
 * | state of a session | on | next |
 * |---|---|---|
 * | *none* | `asked`, and nothing speaks against it | `taken` goes back; *registered* |
 * | *none* | `asked` otherwise | `refused` goes back; *none* |
 * | *registered* | `asked` | `taken` goes back; *registered* |
 * | *registered* | relaying is switched off | `refused` goes out; *none* |
 * | *registered* | `withdrawn`, the session is over | *none* |
 */
export class Registrations {
  readonly #host: RegistrationsHost;
  readonly #limits: RegistrationLimits;
  /** Registered sessions, and the source network that each counts in. */
  readonly #sessions = new Map<Session, string | undefined>();
  readonly #perNetwork = new Map<string, number>();

  constructor(host: RegistrationsHost, limits: RegistrationLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  /** Who is registered, each once. */
  get peers(): readonly PeerId[] {
    return [...new Set([...this.#sessions.keys()].map((session) => peerIdOf(session) as PeerId))];
  }

  /** Whether the other side of this session is registered. */
  has(session: Session): boolean {
    return this.#sessions.has(session);
  }

  /** The other side of `session` asks to be registered. */
  asked(session: Session): void {
    const refusal = this.has(session) ? undefined : this.#refusal(session);
    if (refusal !== undefined) {
      session.send(refused(...refusal));
      return;
    }
    if (!this.has(session)) this.#add(session);
    session.send({ type: 'relay-register', status: 'taken' });
  }

  /** It does not want that any more, or is gone. */
  forget(session: Session): void {
    const network = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (network === undefined) return;
    const left = (this.#perNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#perNetwork.set(network, left);
    else this.#perNetwork.delete(network);
  }

  /** Relaying is switched off: nobody is reached through this node any more. */
  shut(reason: ReasonCode): void {
    for (const session of [...this.#sessions.keys()]) {
      this.forget(session);
      session.send(refused(reason));
    }
  }

  #refusal(session: Session): readonly [ReasonCode, number] | undefined {
    const peerId = peerIdOf(session);
    if (!this.#host.forwards()) return ['relay.disabled', 0];
    if (peerId === undefined) return ['session.anonymous-refused', 0];
    const mistrustedMs = this.#host.refusesForMs(session);
    if (mistrustedMs > 0) return ['relay.rate-limited', mistrustedMs];
    if (this.#sessions.size >= this.#limits.maxRegistrations) return ['relay.busy', RETRY_AFTER_MS];
    if (this.#host.isKnown(peerId)) return undefined;
    const inNetwork = this.#perNetwork.get(networkOf(session)) ?? 0;
    return inNetwork < this.#limits.maxRegistrationsPerNetwork ? undefined : ['relay.busy', RETRY_AFTER_MS];
  }

  #add(session: Session): void {
    const peerId = peerIdOf(session);
    const network = peerId !== undefined && this.#host.isKnown(peerId) ? undefined : networkOf(session);
    this.#sessions.set(session, network);
    if (network !== undefined) this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
  }
}

/** Of a session over relay links all that come through one carrier are one network. */
function networkOf({ link }: Session): string {
  const carrier = link.info.carriers.at(-1);
  return carrier === undefined ? sourceNetwork(link.remote.host, SOURCE_BITS) : `through ${carrier}`;
}

function refused(reason: ReasonCode, retryAfterMs = 0): RelayRegister {
  return { type: 'relay-register', status: 'refused', reason, retryAfterMs };
}
