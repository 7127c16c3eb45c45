import type { Session } from '@matryoshka/peer';
import type { RelayService } from '@matryoshka/relay';
import { type PeerId, type Random, peerHash, randomBelow, randomBetween, randomBytes, randomItem, randomU64 } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import { HANDSHAKE_REQUEST_LENGTH, type Hello, type Message, type RelayDestination, parseEndpoint } from '@matryoshka/wire';
import type { Vice } from './relay-plan.ts';

/** How often it does something, in milliseconds. */
const EVERY_MS = 250;
/** And for how long. */
const FOR_MS = 20_000;
/** Requests that come at once, and for how long: each costs many nodes something. */
const FLOOD = 20;
const FLOODS_FOR_MS = 3000;
const PORT = 999;

/** Somebody to pretend to be, and to ask for. */
export interface Prey {
  readonly host: string;
  readonly peerId: PeerId;
}

/** Somebody, drawn at random. */
export function destinationOf({ prey, random }: { readonly prey: readonly Prey[]; readonly random: Random }): RelayDestination {
  const { host, peerId } = randomItem(random, prey) as Prey;
  return { endpoint: parseEndpoint(`${host}:${PORT}`), peer: peerHash(peerId) };
}

/** What misdeeds are made of. */
export interface MisdeedParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly vices: readonly Vice[];
  readonly fromMs: number;
  readonly sessions: ReadonlySet<Session>;
  readonly relay: RelayService;
  readonly prey: readonly Prey[];
  /** Opens a session over a relay link of its own. */
  readonly hide: (destination: Prey) => Promise<Session>;
}

/** What a node that misbehaves sends of its own accord, and when. */
export class Misdeeds {
  readonly #parts: MisdeedParts;
  #timer: Timer | undefined;
  #begun = false;
  #untilMs = 0;
  /** Its session to somebody far away, and whether it is opening one. */
  #hidden: Session | undefined;
  #hiding = false;

  constructor(parts: MisdeedParts) {
    this.#parts = parts;
  }

  /** Whether it has begun to misbehave. */
  get begun(): boolean {
    return this.#begun;
  }

  start(): void {
    const { clock, fromMs } = this.#parts;
    this.#untilMs = clock.now() + fromMs + FOR_MS;
    this.#timer = clock.after(fromMs, () => {
      this.#begun = true;
      this.#act();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** What it says of itself on a session. */
  hello(honest: Hello, { link }: Session): Hello {
    const { prey, random, vices } = this.#parts;
    if (!vices.includes('lie')) return honest;
    const allowance = { requestsPerSecond: 0, burst: 0, handshakes: randomBelow(random, 2), links: randomBelow(random, 3) };
    const listening =
      link.info.kind === 'direct' && randomBelow(random, 2) === 0
        ? prey.slice(0, 8).map(({ host }) => parseEndpoint(`${host}:${PORT}`))
        : honest.listening;
    return { type: 'hello', relaying: true, allowance, listening };
  }

  #act(): void {
    const { clock, random, sessions, vices } = this.#parts;
    if (clock.now() > this.#untilMs) {
      this.#hidden?.close();
      return;
    }
    const session = randomItem(random, [...sessions]);
    if (session !== undefined) for (const vice of vices) this.#commit(vice, session);
    this.#timer = clock.after(randomBetween(random, 1, EVERY_MS), () => this.#act());
  }

  #commit(vice: Vice, session: Session): void {
    const { random } = this.#parts;
    switch (vice) {
      case 'flood':
        if (this.#parts.clock.now() < this.#untilMs - FOR_MS + FLOODS_FOR_MS) for (let i = 0; i < FLOOD; i++) session.send(this.#create());
        break;
      case 'stray':
        for (let i = 0; i < 5; i++) session.send(this.#stray());
        break;
      case 'overrun':
        this.#overrun(session);
        break;
      case 'malformed':
        if (randomBelow(random, 20) === 0) session.send(this.#malformed());
        break;
      case 'lie':
        session.send(
          this.hello({ type: 'hello', relaying: true, allowance: this.#parts.relay.allowances.of(session), listening: [] }, session),
        );
        break;
      case 'behind':
        this.#misbehaveBehind();
        break;
      case 'drop':
      case 'delay':
      case 'astray':
      case 'impostor':
      case 'swallow':
      case 'duplicate':
      case 'alter':
        // Those are done to what others send.
        break;
      default:
        vice satisfies never;
    }
  }

  /** Does to somebody far away what it had better not do to a neighbour. */
  #misbehaveBehind(): void {
    const { hide, prey, random } = this.#parts;
    const hidden = this.#hidden;
    if (hidden?.sending === true) {
      for (let i = 0; i < FLOOD; i++) hidden.send(this.#create());
      hidden.send(this.#stray());
      hidden.send(this.#malformed());
    } else if (!this.#hiding) {
      this.#hiding = true;
      hide(randomItem(random, prey) as Prey)
        .then((session) => this.#hide(session))
        // Nobody leads it there: it tries somebody else.
        .catch(() => {})
        .finally(() => (this.#hiding = false));
    }
  }

  #hide(session: Session): void {
    this.#hidden = session;
    if (this.#parts.clock.now() > this.#untilMs) session.close();
  }

  #create(): Message {
    const { random } = this.#parts;
    return {
      type: 'relay-create',
      port: randomU64(random),
      hopsLeft: randomBelow(random, 15),
      attemptsLeft: randomBelow(random, 256),
      budgetMs: randomBelow(random, 65_536),
      window: 2 ** 20,
      destination: destinationOf(this.#parts),
      request: randomBytes(random, HANDSHAKE_REQUEST_LENGTH),
    };
  }

  #stray(): Message {
    const { random } = this.#parts;
    const port = randomU64(random);
    switch (randomBelow(random, 5)) {
      case 0:
        return { type: 'relay-close', port, reason: 'closed' };
      case 1:
        return { type: 'relay-credit', port, total: randomBelow(random, 2 ** 31) };
      case 2:
        return { type: 'relay-status', port, status: 'stalled' };
      default:
        return { type: 'relay-data', port, more: false, bytes: randomBytes(random, 100) };
    }
  }

  /** More than any window on a link of somebody, whichever side that is. */
  #overrun(session: Session): void {
    const { random, relay } = this.#parts;
    const ports = [...relay.served].flatMap(({ downstream, state, upstream }) => {
      if (state !== 'open') return [];
      return [upstream, downstream].filter((side) => side?.session === session).map((side) => side?.port as bigint);
    });
    const port = randomItem(random, ports);
    if (port === undefined) return;
    for (let i = 0; i < 40; i++) session.send({ type: 'relay-data', port, more: false, bytes: randomBytes(random, 60_000) });
  }

  #malformed(): Message {
    switch (randomBelow(this.#parts.random, 3)) {
      case 0:
        // A session begins with its first record, nowhere else.
        return { type: 'session-new', recordLength: 0 };
      case 1:
        return { type: 'acknowledge', delivered: 2 ** 40 };
      default:
        return { type: 'stream-end', streamId: 1_000_001 };
    }
  }
}
