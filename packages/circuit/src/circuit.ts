import type { ConnectSessionOptions, LinkSource, Session } from '@matryoshka/peer';
import { KEY_LENGTH, type PeerId, peerHash } from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, type ReasonCode, asMatryoshkaError, formatEndpoint, statedReason } from '@matryoshka/wire';

/** One hop of a path, as its chooser knows it. Its identity is always verified. */
export interface Hop {
  /** Who it has to prove to be. */
  readonly peerId: PeerId;
  /** Where the hop before it reaches it. */
  readonly endpoint: Endpoint;
  /** Static key of a verified descriptor, 32 bytes: makes its handshake NK instead of XX. */
  readonly staticKey?: Uint8Array;
}

/** What a circuit is built with; the node hands it in. */
export interface CircuitHost {
  /** Who builds it. */
  readonly peerId: PeerId;
  /** Time. */
  readonly clock: Clock;
  /** Opens a relay link through `gateway`, whose next hop is the destination itself. */
  openLink(
    gateway: Session,
    to: { readonly endpoint: Endpoint; readonly peer: Uint8Array },
    first: Uint8Array,
    signal: AbortSignal,
  ): Promise<Link>;
  /** Runs a handshake over links of `source`; as `connectSession` of `@matryoshka/peer`. */
  connectSession(source: LinkSource, options: ConnectSessionOptions): Promise<Session>;
}

/** A hop that was built: whom it is, and the session that ends there. */
export interface CircuitHop extends Hop {
  /** The session of this node with it. */
  readonly session: Session;
  /** How long its handshake took, a round trip through all hops before it, in milliseconds; undefined for the first one. */
  readonly handshakeMs?: number;
}

/** Between which two hops something failed: either may be to blame. */
export interface Fault {
  /** The nearer one; undefined: this node. */
  readonly from: PeerId | undefined;
  /** The farther one. */
  readonly to: PeerId;
}

/**
 * The relays of a telescoped path: a session inside a session, hop by hop, as in the seed's second table. Through the session
 * to the last one a relay link is opened to the next, and in it the ordinary handshake, whose first message rides inside the
 * relay request, so that a hop costs one round trip. Each of them is met anonymously. The first hop is an ordinary
 * connection that may carry many circuits; every session above it belongs to this one and ends with it.
 */
export class Circuit {
  /** When its first hop was there, in milliseconds of the host's clock. */
  readonly builtAtMs: number;
  readonly #host: CircuitHost;
  readonly #hops: CircuitHop[];
  #closed = false;

  /** @param first - the first hop, over an ordinary connection */
  constructor(host: CircuitHost, first: CircuitHop) {
    this.#host = host;
    this.#hops = [first];
    this.builtAtMs = host.clock.now();
  }

  /** The hops so far, the first one included. */
  get hops(): readonly CircuitHop[] {
    return this.#hops;
  }

  /** The hop that was built last: the one the circuit goes on from. */
  get last(): CircuitHop {
    return this.#hops.at(-1) as CircuitHop;
  }

  /** Whether something can be opened through it now. */
  get usable(): boolean {
    return !this.#closed && this.#hops.every(({ session }) => session.sending && !session.stalled);
  }

  /** Bytes of all records that went through the session to its last hop, in both directions. */
  get bytes(): number {
    const { session } = this.last;
    return session.bytesReceived + session.bytesSent;
  }

  /**
   * Between which hops it does not work, if it does not: the nearest session that is interrupted or over. The hop before it
   * says so, or says nothing; which of the two is to blame nobody can tell from here.
   */
  get fault(): Fault | undefined {
    const index = this.#hops.findIndex(({ session }) => !session.sending || session.stalled);
    return index === -1 ? undefined : { from: this.#hops[index - 1]?.peerId, to: (this.#hops[index] as CircuitHop).peerId };
  }

  /**
   * Adds a hop.
   * @throws MatryoshkaError `circuit.extend-failed` that names the hop, its `cause` being what went wrong; `aborted`
   */
  async extend(hop: Hop, { signal }: { readonly signal?: AbortSignal } = {}): Promise<CircuitHop> {
    const { clock } = this.#host;
    const { last } = this;
    const to = { endpoint: hop.endpoint, peer: peerHash(hop.peerId) };
    const startedMs = clock.now();
    try {
      const session = await this.#host.connectSession(
        {
          next: ({ first }, attempt) => {
            // Through the hop before it, or not at all.
            if (!last.session.sending) return Promise.reject(new MatryoshkaError('session.link-lost', 'the hop before is gone'));
            return this.#host.openLink(last.session, to, first, attempt);
          },
        },
        {
          demand: hop.peerId,
          anonymous: true,
          ...(hop.staticKey !== undefined && { remoteStatic: hop.staticKey }),
          ...(signal !== undefined && { signal }),
        },
      );
      const built: CircuitHop = { ...hop, session, handshakeMs: clock.now() - startedMs };
      if (this.#closed) {
        session.close(statedReason('closed'));
        throw new MatryoshkaError('aborted', 'the circuit was closed while it was extended');
      }
      this.#hops.push(built);
      return built;
    } catch (error) {
      throw extendFailed(error, this.#hops.length + 1, hop.endpoint, signal);
    }
  }

  /** Closes the hops above the first one, the innermost first, so that each goodbye still finds its way. Idempotent. */
  close(reason: ReasonCode = 'closed'): void {
    this.#closed = true;
    for (const { session } of this.#hops.slice(1).reverse()) session.close(statedReason(reason));
  }
}

/** `circuit.extend-failed` that names the hop; given up is given up, not failed. */
export function extendFailed(error: unknown, hopNumber: number, endpoint: Endpoint, signal: AbortSignal | undefined): MatryoshkaError {
  const cause = asMatryoshkaError(error, 'bug');
  // A hop may say `aborted`, too; it counts as ours only where it is.
  if (signal?.aborted === true) return cause.code === 'aborted' ? cause : new MatryoshkaError('aborted', undefined, { cause });
  return new MatryoshkaError(
    'circuit.extend-failed',
    `hop ${hopNumber} (${formatEndpoint(endpoint)}) could not be added to the circuit: ${cause.message}`,
    { cause },
  );
}

/**
 * Refuses a path, its far end included, that no circuit can be built over.
 * @param self - who builds it
 * @throws MatryoshkaError `circuit.path-invalid` for less than two hops, a peer met twice, oneself, a static key of another
 * length than 32 bytes
 */
export function checkPath(path: readonly Pick<Hop, 'peerId' | 'staticKey'>[], self: PeerId): void {
  if (path.length < 2) throw new MatryoshkaError('circuit.path-invalid', `a circuit has at least two hops, not ${path.length}`);
  const seen = new Set<PeerId>();
  for (const { peerId, staticKey } of path) {
    if (peerId === self) throw new MatryoshkaError('circuit.path-invalid', `${peerId} is this node itself`);
    if (seen.has(peerId)) throw new MatryoshkaError('circuit.path-invalid', `${peerId} is on the path twice`);
    if (staticKey !== undefined && staticKey.length !== KEY_LENGTH) {
      throw new MatryoshkaError('circuit.path-invalid', `a static key has ${KEY_LENGTH} bytes, that of ${peerId} ${staticKey.length}`);
    }
    seen.add(peerId);
  }
}

/**
 * Builds a circuit over `relays` behind its first hop, whose session is open already. What was built is closed when a hop
 * fails.
 * @throws MatryoshkaError `circuit.extend-failed` that names the hop; `aborted`
 */
export async function buildCircuit(
  host: CircuitHost,
  first: CircuitHop,
  relays: readonly Hop[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Circuit> {
  const circuit = new Circuit(host, first);
  try {
    // Each hop is reached through the one before: they cannot be built side by side.
    // oxlint-disable-next-line no-await-in-loop
    for (const relay of relays) await circuit.extend(relay, options);
  } catch (error) {
    circuit.close();
    throw error;
  }
  return circuit;
}
