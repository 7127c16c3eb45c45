import type { LinkAttempt, LinkSource, Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, asMatryoshkaError } from '@matryoshka/wire';
import type { Circuit, Fault } from './circuit.ts';

/** Where the circuits of a route come from. */
export interface CircuitSource {
  /** A circuit that can be used now; `broken` is the one that it is to replace. */
  take(broken: Circuit | undefined, signal: AbortSignal): Promise<Circuit>;
  /** The route does not need it any more. */
  release(circuit: Circuit): void;
  /** Something failed between two hops. */
  failed?(fault: Fault): void;
}

/** The far end of a route. */
export interface RouteEnd {
  /** Who it is, where that is known. */
  readonly peerId?: PeerId;
  /** A circuit was taken for it. */
  taken?(circuit: Circuit): void;
  /** Opens the link through the last hop. */
  open(gateway: Session, attempt: LinkAttempt, signal: AbortSignal): Promise<Link>;
}

/**
 * How a session at the far end of a circuit gets its links: through the circuit there is, as long as that can be used, else
 * through another one. So a session outlives any of its hops, by the same resume that every session has.
 *
 * | the session asks for a link | and | then |
 * |---|---|---|
 * | the first one | | a circuit is taken |
 * | another one | its circuit is usable, and has not just failed to open one | through the same circuit |
 * | another one | anything else | the fault is told of the pair where it is, another circuit is taken |
 * | another one, although it has a good one | there is another circuit | through that one |
 * | it runs over a link | | every other circuit that was taken is released |
 */
export class CircuitRoute implements LinkSource {
  readonly #source: CircuitSource;
  readonly #end: RouteEnd;
  readonly #links = new Map<Link, Circuit>();
  /** Taken, and not released yet. */
  readonly #held = new Set<Circuit>();
  /** What the session runs over. */
  #used: Circuit | undefined;
  /** What the next link goes through. */
  #current: Circuit | undefined;
  /** The last link was not opened: its circuit is not asked again. */
  #suspect = false;
  #closed = false;

  constructor(source: CircuitSource, end: RouteEnd) {
    this.#source = source;
    this.#end = end;
  }

  /** The circuit that the session runs over, once there is one. */
  get circuit(): Circuit | undefined {
    return this.#used;
  }

  /** Sees to it that there is a circuit that can be used, and returns it. */
  async prepare(signal: AbortSignal): Promise<Circuit> {
    return this.#take(signal);
  }

  async next(attempt: LinkAttempt, signal: AbortSignal): Promise<Link> {
    const moving = attempt.session !== undefined && attempt.reason === undefined;
    const circuit = await this.#take(signal, moving);
    try {
      const link = await this.#end.open(circuit.last.session, attempt, signal);
      this.#links.set(link, circuit);
      this.#suspect = false;
      return link;
    } catch (error) {
      // Given up by us: nobody has failed.
      if (signal.aborted && asMatryoshkaError(signal.reason, 'aborted').code === 'aborted') throw error;
      // Given up by the session because it took too long, or refused: another circuit may do better.
      this.#suspect = true;
      const { peerId } = this.#end;
      if (circuit.usable && peerId !== undefined) this.#source.failed?.({ from: circuit.last.peerId, to: peerId });
      throw error;
    }
  }

  /** The session runs over this link now, and over no other. */
  use(link: Link): void {
    const used = this.#links.get(link);
    if (used === undefined) return;
    this.#links.clear();
    this.#links.set(link, used);
    this.#used = used;
    this.#current = used;
    this.#releaseOthers();
  }

  /** The session is over. */
  close(): void {
    this.#closed = true;
    this.#links.clear();
    this.#used = undefined;
    this.#current = undefined;
    this.#releaseOthers();
  }

  /** @param moving - another one than there is, although that is good */
  async #take(signal: AbortSignal, moving = false): Promise<Circuit> {
    const before = this.#current;
    if (before !== undefined && before.usable && !this.#suspect && !moving) return before;
    const fault = before?.fault;
    if (fault !== undefined) this.#source.failed?.(fault);
    const circuit = await this.#source.take(before, signal);
    if (circuit === before && moving) throw new MatryoshkaError('relay.no-peers-available', 'there is no other path');
    if (circuit === before) return circuit;
    // Each is released once.
    if (this.#held.has(circuit)) this.#source.release(circuit);
    this.#held.add(circuit);
    this.#end.taken?.(circuit);
    if (!this.#closed) this.#current = circuit;
    this.#suspect = false;
    this.#releaseOthers();
    return circuit;
  }

  /** What the session runs over stays until it has moved: it may still come back. */
  #releaseOthers(): void {
    for (const circuit of this.#held) {
      if (circuit === this.#used || circuit === this.#current) continue;
      this.#held.delete(circuit);
      this.#source.release(circuit);
    }
  }
}
