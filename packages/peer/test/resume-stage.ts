import { type CryptoProvider, type DhKeyPair, type Identity, createIdentity, networkKeyPsk, randomBytes } from '@matryoshka/session';
import { type SimulatedWire, type World, createWorld, seededRandom } from '@matryoshka/simulation';
import type { CloseReason, Link, LinkHandler, Transport } from '@matryoshka/transport';
import { type Endpoint, type Hello, MatryoshkaError, type StreamProgress } from '@matryoshka/wire';
import {
  Acceptor,
  type ConnectSessionOptions,
  DEFAULT_RESUME_SETTINGS,
  type LinkAttempt,
  Protocols,
  type ResumeSettings,
  type Session,
  type SessionEnvironment,
  type Stream,
  type TrafficSettings,
  connectSession,
} from '../src/index.ts';
import { CountingPool, HELLO } from './pair.ts';

// Sessions over links that fail, in a world of virtual time, under the simulated provider: every sealing is checked for
// a nonce used twice, every link for blocks that another one has seen.

export const ALICE = '198.51.100.1';
export const BOB: Endpoint = { transport: 'tcp', host: '203.0.113.2', port: 999 };

export interface NodeOptions {
  /** False: sessions end with their links. */
  readonly resume?: Partial<ResumeSettings> | false;
  readonly acceptAnonymous?: boolean;
  readonly handshakeTimeoutMs?: number;
  readonly traffic?: TrafficSettings;
}

/** One node as its sessions see it, and everything it is told. */
export class ResumeNode implements SessionEnvironment {
  readonly name: string;
  readonly provider: CryptoProvider;
  readonly random: SessionEnvironment['random'];
  readonly clock: SessionEnvironment['clock'];
  readonly slabs: CountingPool = new CountingPool();
  readonly identity: Identity;
  readonly staticKey: DhKeyPair;
  readonly psk: Uint8Array;
  readonly protocols: Protocols = new Protocols();
  readonly relay: SessionEnvironment['relay'];
  readonly acceptAnonymous: boolean;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number = 1000;
  readonly resume?: ResumeSettings;
  readonly traffic?: TrafficSettings;

  readonly opened: Session[] = [];
  /** What happened, in order: `suspended session.link-lost`, `resumed`, `closed closed`, … */
  readonly events: string[] = [];
  /** Numbers of the numbered control messages that came, in order. */
  readonly notes: number[] = [];
  /** What the links that a session carries were told. */
  readonly carried: string[] = [];
  /** Runs when a session is suspended, or has its next link. */
  whenSuspended: ((session: Session) => void) | undefined;
  whenResumed: ((session: Session) => void) | undefined;
  #nextId = 1;

  constructor(world: World, name: string, seed: number, options: NodeOptions = {}) {
    this.name = name;
    this.provider = world.provider(name);
    this.random = seededRandom(seed);
    this.clock = world.clock;
    this.identity = createIdentity(this.provider, this.random);
    this.staticKey = this.provider.dhKeyPair(randomBytes(this.random, 32));
    this.psk = networkKeyPsk(this.provider);
    this.acceptAnonymous = options.acceptAnonymous ?? true;
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? 10_000;
    if (options.traffic !== undefined) this.traffic = options.traffic;
    if (options.resume !== false) this.resume = { ...DEFAULT_RESUME_SETTINGS, ...options.resume };
    this.relay = {
      data: () => {},
      message: (_session, message) => {
        if (message.type === 'relay-close' || message.type === 'relay-meet') this.notes.push(Number(message.port));
      },
      sessionClosed: () => void this.carried.push('closed'),
      sessionStalled: () => void this.carried.push('stalled'),
      sessionFlowing: (_session, resumed) => void this.carried.push(resumed ? 'flowing anew' : 'flowing'),
    };
  }

  nextSessionId(): string {
    return `${this.name}${this.#nextId++}`;
  }

  hello(): Hello {
    return HELLO;
  }

  onHello(): void {}

  onOpened(session: Session): void {
    this.opened.push(session);
  }

  onSuspended(session: Session, reason: MatryoshkaError): void {
    this.events.push(`suspended ${reason.code}`);
    this.whenSuspended?.(session);
  }

  onResumed(session: Session): void {
    this.events.push('resumed');
    this.whenResumed?.(session);
  }

  onClosed(_session: Session, reason: MatryoshkaError): void {
    this.events.push(`closed ${reason.code}`);
  }
}

export interface StageOptions {
  readonly seed?: number;
  readonly latencyMs?: number | readonly [number, number];
  readonly alice?: NodeOptions;
  readonly bob?: NodeOptions;
  /** Whether no 16-byte block may be seen on two links; default true. */
  readonly watchBlocks?: boolean;
  /** Does something to a link before its session gets it. */
  readonly wrap?: (link: Link) => Link;
}

/** Alice, who opens sessions and gets them their next links; Bob, who accepts; the links between them. */
export class Stage {
  readonly world: World;
  readonly alice: ResumeNode;
  readonly bob: ResumeNode;
  readonly acceptor: Acceptor;
  readonly transport: Transport;
  /** Every link between them, in order. */
  readonly wires: SimulatedWire[] = [];
  /** When Alice asked for a link, and why. */
  readonly attempts: { readonly atMs: number; readonly reason: CloseReason | undefined; readonly session: string | undefined }[] = [];
  /** What is done instead of a dial, next time and the times after; shifted one by one. */
  readonly instead: ((attempt: LinkAttempt, signal: AbortSignal) => Promise<Link>)[] = [];
  readonly #wrap: (link: Link) => Link;

  private constructor(options: StageOptions) {
    const { seed = 1, latencyMs = 20 } = options;
    this.world = createWorld({ seed, latencyMs });
    this.alice = new ResumeNode(this.world, 'alice', seed * 2, options.alice);
    this.bob = new ResumeNode(this.world, 'bob', seed * 2 + 1, options.bob);
    this.acceptor = new Acceptor(this.bob);
    this.transport = this.world.network.host(ALICE)({ clock: this.world.clock });
    this.#wrap = options.wrap ?? ((link) => link);
    this.world.network.watch((wire) => void this.wires.push(wire));
    if (options.watchBlocks !== false) this.world.watchBlocks();
  }

  static async open(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(options);
    await stage.world.network.host(BOB.host)({ clock: stage.world.clock }).listen!(BOB, (link, first) => stage.acceptor.offer(link, first));
    return stage;
  }

  /** A stage with a session on it; both sides have greeted unless told otherwise. */
  static async connected(options: StageOptions = {}, connect: ConnectSessionOptions = {}): Promise<Stage> {
    const stage = await Stage.open(options);
    const session = await stage.connect(connect);
    await stage.world.run(session.greeted);
    await stage.advance(100);
    return stage;
  }

  connect(options: ConnectSessionOptions = {}): Promise<Session> {
    const next = async (attempt: LinkAttempt, signal: AbortSignal): Promise<Link> => {
      this.attempts.push({ atMs: this.world.clock.now(), reason: attempt.reason, session: attempt.session });
      const dial = this.instead.shift() ?? this.dial;
      return this.#wrap(await dial(attempt, signal));
    };
    return this.world.run(connectSession(this.alice, { next }, { demand: this.bob.identity.peerId, ...options }));
  }

  readonly dial = ({ first }: LinkAttempt, signal: AbortSignal): Promise<Link> => this.transport.dial(BOB, first, { signal });

  /** Alice's session, the first unless told otherwise. */
  session(index = 0): Session {
    return this.alice.opened[index] as Session;
  }

  /** Bob's end of the first session, unless told otherwise. */
  other(index = 0): Session {
    return this.bob.opened[index] as Session;
  }

  /** The newest link. */
  get wire(): SimulatedWire {
    return this.wires.at(-1) as SimulatedWire;
  }

  advance(ms: number): Promise<void> {
    return this.world.clock.advance(ms);
  }

  /** Nothing is left of the sessions: no timer, no slab, no link, no rule of the world broken. */
  async leftovers(): Promise<unknown> {
    // What links still flush, and listeners that stay silent to strangers.
    await this.world.clock.run();
    return {
      slabs: [this.alice.slabs.out, this.bob.slabs.out],
      wires: this.world.network.wires().length,
      handshakes: this.acceptor.inProgress,
      suspended: this.acceptor.suspended,
      violations: this.world.violations,
    };
  }
}

export const NOTHING = { slabs: [0, 0], wires: 0, handshakes: 0, suspended: 0, violations: [] };

/** One direction of a stream, with bytes that tell their position: whatever is lost, repeated or out of order shows. */
export class Flow {
  written = 0;
  received = 0;
  wrong = 0;
  ended = false;
  finished = false;
  closedWith: MatryoshkaError | undefined | null = null;
  readonly salt: number;
  #left = 0;
  #ending = false;
  #stream: Stream | undefined;

  constructor(salt: number) {
    this.salt = salt;
  }

  get progress(): StreamProgress | undefined {
    return this.closedWith?.progress;
  }

  /** Writes `length` bytes more as the stream takes them, then ends if told to; nothing follows that. */
  send(length: number, end = false): void {
    if (this.#ending) return;
    this.#left += length;
    this.#ending ||= end;
    this.pump();
  }

  pump(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    while (this.#left > 0) {
      const chunk = new Uint8Array(Math.min(this.#left, 30_000));
      for (let i = 0; i < chunk.length; i++) chunk[i] = this.#byte(this.written + i);
      this.#left -= chunk.length;
      this.written += chunk.length;
      // Whoever reads slowly hears of a reset when all that came before it is read; a writer, at once.
      if (!this.#write(stream, chunk)) return;
    }
    if (this.#ending) stream.end();
  }

  /** The stream that this flow goes out on. */
  from(stream: Stream): void {
    this.#stream = stream;
    this.pump();
  }

  #write(stream: Stream, chunk: Uint8Array): boolean {
    try {
      return stream.write(chunk);
    } catch (error) {
      if (!(error instanceof MatryoshkaError)) throw error;
      this.#left = 0;
      this.written -= chunk.length;
      return false;
    } finally {
      chunk.fill(0);
    }
  }

  take(bytes: Uint8Array): void {
    for (const byte of bytes) if (byte !== this.#byte(this.received++)) this.wrong++;
    if (this.ended) this.wrong++;
  }

  #byte(position: number): number {
    return (position * 31 + (position >> 8) * 7 + this.salt) & 0xff;
  }
}

/** Both directions of a stream, as its two ends see them. */
export interface Channel {
  /** From whoever opened it. */
  readonly out: Flow;
  readonly back: Flow;
  /** The end that was opened; there once the other side has accepted. */
  opened: Stream | undefined;
  accepted: Stream | undefined;
}

/** Lets `acceptor` serve channels that `opener` opens, and returns how one is opened. */
export function channels(acceptor: ResumeNode, protocol = '/channel/1'): (session: Session) => Channel {
  const open: Channel[] = [];
  let salt = 1;
  let accepted = 0;
  acceptor.protocols.serve(protocol, (stream) => {
    const channel = open[accepted++] as Channel;
    channel.accepted = stream;
    connect(stream, channel.back, channel.out);
  });
  return (session) => {
    const channel: Channel = { out: new Flow(salt++), back: new Flow(salt++), opened: undefined, accepted: undefined };
    open.push(channel);
    session.openStream(protocol).then(
      (stream) => {
        channel.opened = stream;
        connect(stream, channel.out, channel.back);
      },
      (error: MatryoshkaError) => void (channel.out.closedWith = error),
    );
    return channel;
  };
}

function connect(stream: Stream, outgoing: Flow, incoming: Flow): void {
  stream.attach({
    data: (bytes) => incoming.take(bytes),
    end: () => void (incoming.ended = true),
    writable: () => outgoing.pump(),
    finished: () => void (outgoing.finished = true),
    closed: (error) => void (outgoing.closedWith = error),
  });
  outgoing.from(stream);
}

/** A link of a relayed kind, whose carriers stall and flow as they are told. */
export class StallingLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly info: Link['info'];
  readonly #link: Link;
  #handler: LinkHandler | undefined;

  constructor(link: Link, kind: 'direct' | 'relayed' = 'relayed') {
    this.#link = link;
    this.local = link.local;
    this.remote = link.remote;
    this.info = { kind, nesting: kind === 'direct' ? 0 : 1, carriers: kind === 'direct' ? [] : ['g1'] };
  }

  stall(): void {
    this.#handler?.stalled();
  }

  flow(): void {
    this.#handler?.flowing();
  }

  /** A message that comes, although nothing should any more. */
  deliver(bytes: Uint8Array): void {
    this.#handler?.message(bytes);
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#link.attach(handler);
  }

  protect(): void {}

  send(parts: readonly Uint8Array[]): boolean {
    return this.#link.send(parts);
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  close(reason?: CloseReason): void {
    this.#link.close(reason);
  }
}
