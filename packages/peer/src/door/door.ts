import type { PeerId, RemoteIdentity } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, Reader, SELECTOR_LENGTH, decodeSelector } from '@matryoshka/wire';

/** Who may open sessions to this node. */
export interface DoorRules {
  /**
   * Answers on listening transports only handshakes made to the static key (NK); others hear nothing. Who comes through
   * a relay link is answered as ever.
   */
  readonly hidden: boolean;
  /** Whether initiators that show no identity are welcome. */
  readonly acceptAnonymous: boolean;
  /** The only identities that are welcome; undefined: all. */
  readonly allowPeers: readonly PeerId[] | undefined;
  /** Identities that are not, whatever allows them. */
  readonly denyPeers: readonly PeerId[];
}

/** Why somebody was not let in; `handshakes`: had to make room for a newer handshake. */
export type DoorRefusal = 'hidden' | 'handshakes' | 'anonymous' | 'peer-denied' | 'peer-not-allowed' | 'reputation';

/** What the acceptor asks about whoever comes (docs/protocol.md §3.5). */
export interface Door {
  /** Whether only those reach this node who know its static key: then it is shown to nobody else. */
  readonly hidden: boolean;
  /** Before anything is computed: why a first message is not read. A listener is silent about it. */
  knock(link: Link, first: Uint8Array): MatryoshkaError | undefined;
  /** After the handshake has proven who it is: why the other side is not let in. It hears the reason. */
  enter(remote: RemoteIdentity, link: Link): MatryoshkaError | undefined;
  /** A handshake in progress had to make room for a newer one. */
  evicted(): void;
}

/** A {@link Door} by rules that may change while it is in use. */
export class RuledDoor implements Door {
  readonly #refused: (reason: DoorRefusal) => void;
  readonly #mistrusted: (peerId: PeerId) => boolean;
  #rules: DoorRules;
  #allowed: ReadonlySet<PeerId> | undefined;
  #denied: ReadonlySet<PeerId>;

  /** @param mistrusted - whether a direct neighbour has lost so much reputation that it is not let in */
  constructor(rules: DoorRules, refused: (reason: DoorRefusal) => void = () => {}, mistrusted: (peerId: PeerId) => boolean = () => false) {
    this.#refused = refused;
    this.#mistrusted = mistrusted;
    this.#rules = rules;
    this.#allowed = rules.allowPeers && new Set(rules.allowPeers);
    this.#denied = new Set(rules.denyPeers);
  }

  get hidden(): boolean {
    return this.#rules.hidden;
  }

  /** From now on other rules count. What is open stays: see {@link admits}. */
  update(rules: DoorRules): void {
    this.#rules = rules;
    this.#allowed = rules.allowPeers && new Set(rules.allowPeers);
    this.#denied = new Set(rules.denyPeers);
  }

  /** Whether the lists of peers let somebody in. */
  admits(remote: RemoteIdentity): boolean {
    return this.#refusalOf(remote) === undefined;
  }

  knock(link: Link, first: Uint8Array): MatryoshkaError | undefined {
    if (!this.#rules.hidden || link.info.kind !== 'direct' || isToStaticKey(first)) return undefined;
    this.#refused('hidden');
    return new MatryoshkaError('session.refused');
  }

  enter(remote: RemoteIdentity, link: Link): MatryoshkaError | undefined {
    const reason = this.#refusalOf(remote) ?? this.#reputation(remote, link);
    if (reason === undefined) return undefined;
    this.#refused(reason);
    return new MatryoshkaError(reason === 'anonymous' ? 'session.anonymous-refused' : 'session.refused');
  }

  evicted(): void {
    this.#refused('handshakes');
  }

  #refusalOf(remote: RemoteIdentity): DoorRefusal | undefined {
    if (!remote.authenticated) return this.#rules.acceptAnonymous ? undefined : 'anonymous';
    if (this.#denied.has(remote.peerId)) return 'peer-denied';
    return this.#allowed === undefined || this.#allowed.has(remote.peerId) ? undefined : 'peer-not-allowed';
  }

  /** What counts is what somebody did as a direct neighbour; through a relay link nobody can do that (principle 6). */
  #reputation(remote: RemoteIdentity, link: Link): DoorRefusal | undefined {
    return remote.authenticated && link.info.kind === 'direct' && this.#mistrusted(remote.peerId) ? 'reputation' : undefined;
  }
}

function isToStaticKey(first: Uint8Array): boolean {
  if (first.length < SELECTOR_LENGTH) return false;
  try {
    return decodeSelector(new Reader(first.subarray(0, SELECTOR_LENGTH))).pattern === 'NK';
  } catch {
    // Another version, suite or pattern: nothing that is made to our key.
    return false;
  }
}
