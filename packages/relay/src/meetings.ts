import type { Session } from '@matryoshka/peer';
import type { Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import type { Claim } from './allowance.ts';
import { type LinkEnd, refusalOf } from './link-end.ts';
import type { LinkRegistry } from './link-registry.ts';

/** How long one waits for the other, in milliseconds (docs/protocol.md §8.7). */
export const MEETING_MS = 60_000;
/** Those who may wait at once: on one session, and in all. */
const MAX_WAITING_ON_SESSION = 64;
const MAX_WAITING = 4_096;

export interface MeetingsHost {
  readonly clock: Clock;
  readonly links: LinkRegistry;
  /** The port of whoever waited on `session` rests. */
  forget(session: Session, port: bigint): void;
}

/** Those who wait at this relay for somebody with the same token; it knows neither of the two. */
export class Meetings {
  readonly #host: MeetingsHost;
  readonly #waiting = new Map<string, Waiting>();

  constructor(host: MeetingsHost) {
    this.#host = host;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whoever waits with a token; from then on the token is used up. */
  take(token: Uint8Array): Waiting | undefined {
    const key = keyOf(token);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.taken();
    return waiting;
  }

  /** The other side of `session` waits on `port`. @throws MatryoshkaError `relay.busy` where there is no room */
  wait(session: Session, port: bigint, token: Uint8Array, claim: Claim): void {
    const key = keyOf(token);
    const here = [...this.#waiting.values()].filter((waiting) => waiting.session === session).length;
    if (this.#waiting.size >= MAX_WAITING || here >= MAX_WAITING_ON_SESSION) throw new MatryoshkaError('relay.busy');
    const { clock, links } = this.#host;
    const waiting = new Waiting(session, port, claim, clock, () => {
      this.#waiting.delete(key);
      this.#host.forget(session, port);
    });
    this.#waiting.set(key, waiting);
    links.add(session, port, waiting);
  }

  /** Nobody waits any more. */
  shut(reason: MatryoshkaError): void {
    for (const waiting of [...this.#waiting.values()]) waiting.shut(reason);
  }
}

/** One who waits: nothing but its end may come on its port. */
export class Waiting implements LinkEnd {
  readonly session: Session;
  readonly port: bigint;
  /** What it counts as in its allowance, which goes over to the link. */
  readonly claim: Claim;
  readonly #over: () => void;
  readonly #timer: Timer;

  constructor(session: Session, port: bigint, claim: Claim, clock: Clock, over: () => void) {
    this.session = session;
    this.port = port;
    this.claim = claim;
    this.#over = over;
    this.#timer = clock.after(MEETING_MS, () => this.shut(new MatryoshkaError('relay.nobody-met')));
  }

  /** Somebody has come. */
  taken(): void {
    this.#timer.cancel();
  }

  shut(reason: MatryoshkaError): void {
    this.session.send(refusalOf(this.port, reason));
    this.#end();
  }

  closedByPeer(): void {
    this.#end();
  }

  carrierLost(): void {
    this.#end();
  }

  data(): void {
    throw new MatryoshkaError('relay.protocol', 'relay data before anybody was met');
  }

  status(): void {
    throw new MatryoshkaError('relay.protocol', 'a status nobody waits for');
  }

  credited(): void {}

  returned(): void {}

  carrierStalled(): void {}

  carrierFlowing(): void {}

  #end(): void {
    this.#timer.cancel();
    this.claim.ended();
    this.#over();
  }
}

function keyOf(token: Uint8Array): string {
  return String.fromCharCode(...token);
}
