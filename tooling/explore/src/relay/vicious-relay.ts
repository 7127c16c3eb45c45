import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import type { RelayService, ServedLink, ServedSide } from '@matryoshka/relay';
import { type Random, randomBelow } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import { type MatryoshkaError, RELAY_DATA_MORE } from '@matryoshka/wire';
import { type Prey, destinationOf } from './misdeeds.ts';
import type { Vice } from './relay-plan.ts';

/** One in so many pieces of relay data is delayed, repeated or changed. */
const ONE_IN = 8;
const MAX_DELAY_MS = 20_000;
/** Relay data is dropped from a byte on that is drawn up to here. */
const MAX_BEFORE_DROP_BYTES = 100_000;

/** How a relay misbehaves with what it is given to pass on. */
export interface ViciousParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly vices: readonly Vice[];
  /** Where it extends a circuit to instead. */
  readonly prey: readonly Prey[];
  /** Whether it misbehaves now. */
  bad(): boolean;
}

/** Stands between the sessions of a node and its relay service, and does to links of others what it likes. */
export class ViciousRelay implements RelayHandler {
  readonly #service: RelayService;
  readonly #parts: ViciousParts;
  readonly #dropsAfter: number;
  #passedBytes = 0;
  /** What waits behind a piece that is late: relay data stays in order. */
  readonly #late = new WeakMap<ServedLink, (() => void)[]>();

  constructor(service: RelayService, parts: ViciousParts) {
    this.#service = service;
    this.#parts = parts;
    this.#dropsAfter = randomBelow(parts.random, MAX_BEFORE_DROP_BYTES);
  }

  data(session: Session, high: number, low: number, flags: number, bytes: Uint8Array): void {
    const link = this.#parts.bad() ? this.#servedAt(session, (BigInt(high) << 32n) | BigInt(low)) : undefined;
    const pass = (piece: Uint8Array): void => this.#service.data(session, high, low, flags, piece);
    if (link === undefined) {
      pass(bytes);
      return;
    }
    this.#passedBytes += bytes.length;
    if (this.#has('drop') && this.#passedBytes > this.#dropsAfter) return;
    if (this.#has('delay')) {
      this.#hold(link, bytes, pass);
      return;
    }
    const [altered, twice] = [this.#has('alter') && this.#now(), this.#has('duplicate') && this.#now()];
    const piece = altered ? this.#changed(bytes) : bytes;
    const copy = twice ? piece.slice() : undefined;
    pass(piece);
    if (copy !== undefined && link.state === 'open') otherSide(link, session).egress.pass(copy, (flags & RELAY_DATA_MORE) !== 0);
  }

  message(session: Session, message: RelayMessage): void {
    const swallowed = message.type === 'relay-create' && message.hopsLeft > 0 && this.#parts.bad() && this.#has('swallow');
    const astray = message.type === 'relay-create' && message.hopsLeft === 1 && this.#parts.bad() && this.#has('astray');
    if (!swallowed) this.#service.message(session, astray ? { ...message, destination: destinationOf(this.#parts) } : message);
  }

  sessionClosed(session: Session, _reason: MatryoshkaError): void {
    this.#service.sessionClosed(session);
  }

  sessionStalled(session: Session): void {
    this.#service.sessionStalled(session);
  }

  sessionFlowing(session: Session, resumed: boolean): void {
    this.#service.sessionFlowing(session, resumed);
  }

  #has(vice: Vice): boolean {
    return this.#parts.vices.includes(vice);
  }

  #now(): boolean {
    return randomBelow(this.#parts.random, ONE_IN) === 0;
  }

  #changed(bytes: Uint8Array): Uint8Array {
    const changed = bytes.slice();
    const at = randomBelow(this.#parts.random, bytes.length);
    changed[at] = (changed[at] as number) ^ (1 + randomBelow(this.#parts.random, 255));
    return changed;
  }

  #hold(link: ServedLink, bytes: Uint8Array, pass: (piece: Uint8Array) => void): void {
    const held = bytes.slice();
    const waiting = this.#late.get(link);
    if (waiting !== undefined) {
      waiting.push(() => pass(held));
      return;
    }
    if (!this.#now()) {
      pass(bytes);
      return;
    }
    const queue = [(): void => pass(held)];
    this.#late.set(link, queue);
    this.#parts.clock.after(randomBelow(this.#parts.random, MAX_DELAY_MS), () => {
      this.#late.delete(link);
      // What comes for a link that is over goes the way of all late messages.
      for (const run of queue) if (link.state === 'open') run();
    });
  }

  /** The link that it forwards by this port of this session. */
  #servedAt(session: Session, port: bigint): ServedLink | undefined {
    for (const link of this.#service.served) {
      const { downstream, state, upstream } = link;
      if (state !== 'open') continue;
      if (isAt(upstream, session, port) || (downstream !== undefined && isAt(downstream, session, port))) return link;
    }
    return undefined;
  }
}

function isAt(side: ServedSide, session: Session, port: bigint): boolean {
  return side.session === session && side.port === port;
}

function otherSide({ downstream, upstream }: ServedLink, session: Session): ServedSide {
  return upstream.session === session ? (downstream as ServedSide) : upstream;
}
