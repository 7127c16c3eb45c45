import type { LinkSource, Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import { SimulatedClock } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { type CircuitHost, Circuit, type Hop } from '../src/circuit.ts';
import { descriptorOf } from './descriptors.ts';

/** The relay of the descriptor with this seed, as a hop. */
export function hopOf(seed: number): Hop {
  const { body, peerId } = descriptorOf(seed);
  return { peerId, endpoint: body.endpoints[0]! };
}

/** Builds circuits of sessions that do nothing but open and close. */
export class FakeHost implements CircuitHost {
  readonly peerId: PeerId = hopOf(250).peerId;
  readonly clock: SimulatedClock = new SimulatedClock();
  /** Extending waits for it. */
  gate: Promise<void> = Promise.resolve();
  failing = false;

  async circuit(first: Hop, ...rest: readonly Hop[]): Promise<Circuit> {
    const circuit = new Circuit(this, { ...first, session: fakeSession() });
    // oxlint-disable-next-line no-await-in-loop -- each is reached through the one before
    for (const hop of rest) await circuit.extend(hop);
    return circuit;
  }

  openLink: CircuitHost['openLink'] = () => Promise.resolve({} as Link);

  connectSession: CircuitHost['connectSession'] = async (source: LinkSource) => {
    await source.next({ reason: undefined, first: new Uint8Array(0), session: undefined }, new AbortController().signal);
    await this.gate;
    if (this.failing) throw new MatryoshkaError('session.timeout');
    return fakeSession();
  };
}

function fakeSession(): Session {
  const session = { sending: true, stalled: false, bytesReceived: 0, bytesSent: 0, close: () => void (session.sending = false) };
  return session as unknown as Session;
}
