import type { ConnectSessionOptions, LinkSource, Session } from '@matryoshka/peer';
import { KEY_LENGTH, type PeerId, peerHash } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, type ReasonCode, asMatryoshkaError, formatEndpoint } from '@matryoshka/wire';

/** One hop of a path, as its chooser knows it. Its identity is always verified. */
export interface Hop {
  readonly peerId: PeerId;
  readonly endpoint: Endpoint;
  /** Static key of a verified descriptor, 32 bytes: makes its handshake NK instead of XX. */
  readonly staticKey?: Uint8Array;
}

/** What a circuit is built with; the node hands it in. */
export interface CircuitHost {
  /** Who builds it. */
  readonly peerId: PeerId;
  /** Opens a relay link through `gateway`, whose next hop is the destination itself. */
  openLink(
    gateway: Session,
    to: { readonly endpoint: Endpoint; readonly peer: Uint8Array },
    first: Uint8Array,
    signal: AbortSignal,
  ): Promise<Link>;
  connectSession(source: LinkSource, options: ConnectSessionOptions): Promise<Session>;
}

export interface ExtendOptions {
  /** Shows no identity to this hop: true except for the last one, where the user decides. */
  readonly anonymous: boolean;
  readonly signal?: AbortSignal;
}

/** A hop that was built: whom it is, and the session that ends there. */
export interface CircuitHop extends Hop {
  readonly session: Session;
}

/**
 * Builds a circuit hop by hop, as in the seed's second table: through the session to the last hop a relay link is
 * opened to the next one, and in it the ordinary handshake. Its first message rides inside the relay request, so that a
 * hop costs one round trip.
 */
export class CircuitBuilder {
  readonly #host: CircuitHost;
  readonly #hops: CircuitHop[];

  /** @param first - the first hop, over an ordinary connection that may carry many circuits */
  constructor(host: CircuitHost, first: CircuitHop) {
    this.#host = host;
    this.#hops = [first];
  }

  /** The hops so far, the first one included. */
  get hops(): readonly CircuitHop[] {
    return this.#hops;
  }

  /**
   * Adds a hop.
   * @throws MatryoshkaError `circuit.extend-failed` that names the hop, its `cause` being what went wrong; `aborted`
   */
  async extend(hop: Hop, options: ExtendOptions): Promise<CircuitHop> {
    const last = this.#hops.at(-1) as CircuitHop;
    const to = { endpoint: hop.endpoint, peer: peerHash(hop.peerId) };
    try {
      const session = await this.#host.connectSession(
        {
          next: ({ first }, signal) => {
            // Through the hop before it, or not at all.
            if (!last.session.sending) return Promise.reject(new MatryoshkaError('session.link-lost', 'the hop before is gone'));
            return this.#host.openLink(last.session, to, first, signal);
          },
        },
        {
          demand: hop.peerId,
          anonymous: options.anonymous,
          ...(options.anonymous && hop.staticKey !== undefined && { remoteStatic: hop.staticKey }),
          ...(options.signal !== undefined && { signal: options.signal }),
        },
      );
      const built = { ...hop, session };
      this.#hops.push(built);
      return built;
    } catch (error) {
      const cause = asMatryoshkaError(error, 'bug');
      // A hop may say `aborted`, too; it counts as ours only where it is.
      if (options.signal?.aborted === true) throw cause.code === 'aborted' ? cause : new MatryoshkaError('aborted', undefined, { cause });
      throw new MatryoshkaError(
        'circuit.extend-failed',
        `hop ${this.#hops.length + 1} (${formatEndpoint(hop.endpoint)}) could not be added to the circuit: ${cause.message}`,
        { cause },
      );
    }
  }

  /** Closes what was built so far; the first hop's connection stays. */
  close(reason: ReasonCode = 'closed'): void {
    closeHops(this.#hops, reason);
  }
}

/** The nested sessions of a telescoped path, held by its initiator. */
export class Circuit {
  readonly hops: readonly CircuitHop[];

  constructor(hops: readonly CircuitHop[]) {
    this.hops = hops;
    // Every session above the first one belongs to this circuit alone: it goes when the one inside it is gone.
    void this.session.closed.then(() => closeHops(hops, 'closed'));
  }

  /** The session to the far end. */
  get session(): Session {
    return (this.hops.at(-1) as CircuitHop).session;
  }

  close(reason: ReasonCode = 'closed'): void {
    closeHops(this.hops, reason);
  }
}

/** Innermost first, so that each goodbye still finds its way. */
function closeHops(hops: readonly CircuitHop[], reason: ReasonCode): void {
  for (const { session } of hops.slice(1).reverse()) session.close(new MatryoshkaError(reason));
}

export interface BuildOptions {
  /** Shows no identity to the far end either. */
  readonly anonymous: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Refuses a path, its far end included, that no circuit can be built over.
 * @param self - who builds it
 * @throws MatryoshkaError `circuit.path-invalid` for less than two hops, a peer met twice, oneself, a static key of another
 * length than 32 bytes
 */
export function checkPath(path: readonly Hop[], self: PeerId): void {
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
 * Builds a circuit over `path` behind its first hop, whose session is open already. What was built is closed when a hop
 * fails.
 * @throws MatryoshkaError `circuit.path-invalid`; `circuit.extend-failed` that names the hop; `aborted`
 */
export async function buildCircuit(host: CircuitHost, first: CircuitHop, path: readonly Hop[], options: BuildOptions): Promise<Circuit> {
  checkPath([first, ...path], host.peerId);
  const builder = new CircuitBuilder(host, first);
  try {
    for (const [index, hop] of path.entries()) {
      const anonymous = index < path.length - 1 || options.anonymous;
      // Each hop is reached through the one before: they cannot be built side by side.
      // oxlint-disable-next-line no-await-in-loop
      await builder.extend(hop, { anonymous, ...(options.signal !== undefined && { signal: options.signal }) });
    }
  } catch (error) {
    builder.close();
    throw error;
  }
  return new Circuit(builder.hops);
}
