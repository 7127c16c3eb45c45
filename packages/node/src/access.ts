import { type DoorRefusal, type DoorRules, RuledDoor, type Session } from '@matryoshka/peer';
import type { AllowanceSettings, RelayRefusal, RelayService } from '@matryoshka/relay';
import { AddressAdmission, type AdmissionRefusal, type AdmissionSettings, type Clock } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { type AccessUpdate, type DoorSettings, updateDoor } from './access-options.ts';

/** Why somebody was turned away, or a request refused for its sender's sake. */
export type AccessRefusal = AdmissionRefusal | DoorRefusal | RelayRefusal;

/** Who may connect, and what became of those who tried. */
export interface AccessStatus extends DoorSettings {
  /** Accepted direct connections that are open. */
  readonly openConnections: number;
  /** How often each of it happened since the start; what is not there never did. */
  readonly refusals: Readonly<Partial<Record<AccessRefusal, number>>>;
  /** Peers that have lost some of their reputation, which is 100 for all others, and not got it back yet. */
  readonly reputations: readonly { readonly peerId: string; readonly score: number }[];
}

export interface AccessParts {
  readonly clock: Clock;
  readonly relay: () => RelayService;
}

/** The door of a node: what its listeners, its acceptor and its relay ask about others. */
export class Access {
  readonly admission: AddressAdmission;
  readonly door: RuledDoor;
  readonly #relay: () => RelayService;
  readonly #refusals = new Map<AccessRefusal, number>();
  #settings: DoorSettings;

  constructor({ clock, relay }: AccessParts, { access, acceptAnonymous, maxHandshakes }: DoorSettings) {
    // Whatever else is in the options, an identity among it, is no matter of the status.
    const settings = { access, acceptAnonymous, maxHandshakes };
    this.#relay = relay;
    this.#settings = settings;
    this.admission = new AddressAdmission(clock, admissionSettings(settings), this.refused);
    this.door = new RuledDoor(doorRules(settings), this.refused, (peerId) => relay().reputations.mistrusts(peerId));
  }

  get settings(): DoorSettings {
    return this.#settings;
  }

  /** Counts one that was turned away. */
  readonly refused = (reason: AccessRefusal): void => {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
  };

  /**
   * From now on other settings count. Sessions that others opened and could not open any more end with `session.refused`.
   * @throws MatryoshkaError `config.invalid` that names each wrong option; then nothing changes
   */
  update(update: AccessUpdate, sessions: Iterable<Session>): void {
    const settings = updateDoor(this.#settings, update);
    this.admission.update(admissionSettings(settings));
    this.door.update(doorRules(settings));
    this.#relay().allowances.update(allowanceSettings(settings));
    this.#relay().reputations.update(settings.access.reputation);
    this.#settings = settings;
    for (const session of [...sessions]) if (!this.#stays(session)) session.close(new MatryoshkaError('session.refused'));
  }

  status(): AccessStatus {
    const { reputations } = this.#relay();
    return {
      ...this.#settings,
      openConnections: this.admission.connections,
      refusals: Object.fromEntries(this.#refusals),
      reputations: reputations.peers,
    };
  }

  #stays({ link, remote, role }: Session): boolean {
    if (role === 'initiator') return true;
    return this.door.admits(remote) && (link.info.kind === 'relayed' || this.admission.admits(link.remote.host));
  }
}

function admissionSettings({ access }: DoorSettings): AdmissionSettings {
  return {
    allow: access.allow,
    deny: access.deny,
    exempt: access.exempt,
    sourceBits: { ipv4Bits: access.ipv4SourceBits, ipv6Bits: access.ipv6SourceBits },
    maxConnections: access.maxConnections,
    maxConnectionsPerNetwork: access.maxConnectionsPerNetwork,
    attempts: { perSecond: access.attemptsPerSecond, burst: access.attemptBurst },
  };
}

function doorRules({ access, acceptAnonymous }: DoorSettings): DoorRules {
  return { hidden: access.hidden, acceptAnonymous, allowPeers: access.allowPeers, denyPeers: access.denyPeers };
}

/** What neighbours may ask, as the relay service takes it. */
export function allowanceSettings({ access }: DoorSettings): AllowanceSettings {
  return { ...access.allowances, sourceBits: { ipv4Bits: access.ipv4SourceBits, ipv6Bits: access.ipv6SourceBits } };
}
