import { type Directory, MAX_DESCRIPTORS } from '@matryoshka/circuit';
import type { ProtocolHandler, Session, Stream } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import { type CryptoProvider, type PeerId, type VerifiedDescriptor, peerIdFromKey } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError, asMatryoshkaError, decodeDescriptor } from '@matryoshka/wire';
import { DescriptorListReader, listEntry } from './descriptor-list.ts';

/** The stream protocol that nodes exchange descriptors by (docs/protocol.md §9.2). */
export const EXCHANGE_PROTOCOL = '/matryoshka/descriptors/1';

/** Between two exchanges with one peer, in milliseconds. */
const MIN_GAP_MS = 10_000;
/** What a peer's clock may be off by in that. */
const GAP_TOLERANCE_MS = 5_000;
/** How long one may take, in milliseconds. */
const TIMEOUT_MS = 60_000;
/** News wait so long for more of them, in milliseconds; whoever did not open the session waits longer, so that both do not ask at once. */
const GATHER_MS = 1_000;
const GATHER_LONGER_MS = 4_000;

export interface ExchangeParts {
  readonly clock: Clock;
  readonly provider: CryptoProvider;
  readonly directory: Directory;
  /** Who is asked, and answered. */
  readonly trusted: ReadonlySet<PeerId>;
  /** How long to wait between two exchanges without news, in milliseconds. */
  readonly intervalMs: number;
  /** @throws MatryoshkaError as `VerifiedDescriptor.verify` */
  verify(bytes: Uint8Array): VerifiedDescriptor;
  /** A peer has sent what it must not: it should have looked at it itself. */
  misbehaved(session: Session, fault: MatryoshkaError): void;
}

interface Neighbour {
  lastMs: number;
  running: boolean;
  timer: Timer | undefined;
}

/**
 * Exchanges descriptors with the peers that are trusted for it: both send all they have, and take what is newer. Nobody is
 * asked for one descriptor, so nobody learns which ones are used.
 *
 * | state of a neighbour | on | next |
 * |---|---|---|
 * | *waiting* | connected by us; news, 10 s after the last exchange at the earliest; the interval is over | a stream is opened, *exchanging* |
 * | *waiting* | a stream is opened by it, not sooner than that | *exchanging* |
 * | *exchanging* | both have ended, the stream is reset, 60 s are over | *waiting* |
 */
export class DescriptorExchange {
  readonly #parts: ExchangeParts;
  readonly #neighbours = new Map<Session, Neighbour>();
  readonly #stopWatching: () => void;
  #closed = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#stopWatching = parts.directory.watch(({ type }) => {
      if (type !== 'expired') this.#news();
    });
  }

  /** Answers a stream of {@link EXCHANGE_PROTOCOL}. */
  readonly serve: ProtocolHandler = (stream, session) => {
    const neighbour = this.#neighbours.get(session);
    if (neighbour === undefined) {
      stream.reset('session.refused');
      return;
    }
    const tooSoon = this.#parts.clock.now() - neighbour.lastMs < MIN_GAP_MS - GAP_TOLERANCE_MS;
    if (neighbour.running || tooSoon) stream.reset('stream.limit');
    else this.#exchange(stream, session, neighbour);
  };

  /** A session is open. */
  opened(session: Session): void {
    const peerId = peerIdOf(session);
    if (this.#closed || session.anonymous || peerId === undefined || !this.#parts.trusted.has(peerId)) return;
    const neighbour: Neighbour = { lastMs: -Infinity, running: false, timer: undefined };
    this.#neighbours.set(session, neighbour);
    // Whoever connected asks first, so that both do not do it at once.
    this.#schedule(session, neighbour, session.role === 'initiator' ? 0 : this.#parts.intervalMs);
  }

  /** It is over. */
  ended(session: Session): void {
    this.#neighbours.get(session)?.timer?.cancel();
    this.#neighbours.delete(session);
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    for (const session of [...this.#neighbours.keys()]) this.ended(session);
  }

  /** There is something that the neighbours may not have. */
  #news(): void {
    const now = this.#parts.clock.now();
    for (const [session, neighbour] of this.#neighbours) {
      const gatherMs = session.role === 'initiator' ? GATHER_MS : GATHER_LONGER_MS;
      this.#schedule(session, neighbour, gatherMs + Math.max(0, neighbour.lastMs + MIN_GAP_MS - now));
    }
  }

  #schedule(session: Session, neighbour: Neighbour, ms: number): void {
    neighbour.timer?.cancel();
    neighbour.timer = this.#parts.clock.after(ms, () => void this.#ask(session, neighbour));
  }

  async #ask(session: Session, neighbour: Neighbour): Promise<void> {
    this.#schedule(session, neighbour, this.#parts.intervalMs);
    if (neighbour.running) return;
    neighbour.running = true;
    try {
      this.#exchange(await session.openStream(EXCHANGE_PROTOCOL), session, neighbour);
    } catch {
      // It does not want to, or is gone; the next time is soon enough.
      neighbour.running = false;
    }
  }

  #exchange(stream: Stream, session: Session, neighbour: Neighbour): void {
    const { clock, directory } = this.#parts;
    neighbour.running = true;
    neighbour.lastMs = clock.now();
    this.#schedule(session, neighbour, this.#parts.intervalMs);
    const timer = clock.after(TIMEOUT_MS, () => stream.reset('session.timeout'));
    const list = directory.list();
    let sent = 0;
    const pump = (): void => {
      while (sent < list.length) if (!stream.write(listEntry((list[sent++] as VerifiedDescriptor).bytes))) return;
      stream.end();
    };
    const reader = new DescriptorListReader(MAX_DESCRIPTORS, (bytes) => this.#received(bytes));
    const guarded = (run: () => void): void => {
      try {
        run();
      } catch (error) {
        const fault = asMatryoshkaError(error, 'bug');
        stream.reset(fault.code);
        this.#parts.misbehaved(session, fault);
      }
    };
    stream.attach({
      data: (bytes) => guarded(() => reader.push(bytes)),
      end: () => guarded(() => reader.end()),
      writable: pump,
      closed: () => {
        timer.cancel();
        neighbour.running = false;
      },
    });
    if (!stream.closed) pump();
  }

  /** @throws MatryoshkaError for what no honest peer passes on */
  #received(bytes: Uint8Array): void {
    const { directory, provider } = this.#parts;
    // What is known already costs no signature.
    const { identityKey, version } = decodeDescriptor(bytes);
    const known = directory.get(peerIdFromKey(provider, identityKey));
    if (known !== undefined && known.version >= version) return;
    try {
      directory.publish(this.#parts.verify(bytes));
    } catch (error) {
      // It may have been good when it was sent, by the other side's clock.
      if (!(error instanceof MatryoshkaError && error.code === 'session.descriptor-expired')) throw error;
    }
  }
}
