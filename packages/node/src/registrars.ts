import type { Session } from '@matryoshka/peer';
import { type PeerId, type Random, parsePeerId } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import { type Destination, type RelayRegister, formatDestination, parseDestination } from '@matryoshka/wire';
import { Registrar, type Registration } from './registrar.ts';

/** A relay that this node is reached through, or wants to be (R9), ready for JSON. */
export interface RegistrationStatus {
  /** The relay, as it was named in `registerWith`. */
  readonly relay: string;
  /** How others name this node there: `peerId@relayPeerId@host:port`. */
  readonly address: string;
  /** Whether others reach this node there now. */
  readonly state: Registration['state'];
  /** Code of what the last attempt failed with; undefined once it is registered. */
  readonly error: string | undefined;
}

export interface RegistrarsParts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  /** Connects to a relay by its name, `peerId@host:port`. */
  connect(name: string, signal: AbortSignal): Promise<Session>;
  changed(registration: RegistrationStatus): void;
}

/** All relays that this node keeps itself registered with. */
export class Registrars {
  readonly #entries: readonly { readonly registrar: Registrar; readonly address: string }[];

  /** @param relays - `peerId@host:port` each, validated with the options */
  constructor(relays: readonly string[], parts: RegistrarsParts) {
    this.#entries = relays.map((name) => {
      const { endpoint, peerId } = parseDestination(name) as Destination & { readonly type: 'endpoint' };
      const relay = parsePeerId(peerId as string);
      const address = formatDestination({ type: 'registered', peerId: parts.self, relayPeerId: relay, relayEndpoint: endpoint });
      const registrar = new Registrar(
        {
          clock: parts.clock,
          random: parts.random,
          connect: (signal) => parts.connect(name, signal),
          changed: (registration) => parts.changed(statusOf(registration, address)),
        },
        relay,
      );
      return { registrar, address };
    });
  }

  get status(): readonly RegistrationStatus[] {
    return this.#entries.map(({ address, registrar }) => statusOf(registrar.registration, address));
  }

  start(): void {
    for (const { registrar } of this.#entries) registrar.start();
  }

  stop(): void {
    for (const { registrar } of this.#entries) registrar.stop();
  }

  answered(session: Session, message: RelayRegister): void {
    for (const { registrar } of this.#entries) registrar.answered(session, message);
  }
}

function statusOf({ relay, state, error }: Registration, address: string): RegistrationStatus {
  return { relay, address, state, error: error?.code };
}
