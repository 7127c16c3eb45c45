import {
  type CryptoProvider,
  type Identity,
  RecordKeys,
  SlabPool,
  createIdentity,
  networkKeyPsk,
  portableProvider,
  randomBytes,
} from '@matryoshka/session';
import { type World, createWorld, seededRandom } from '@matryoshka/simulation';
import { type Link, type MemoryLinkOptions, memoryLink } from '@matryoshka/transport';
import type { Hello, MatryoshkaError } from '@matryoshka/wire';
import { Protocols, type RelayMessage, Session, type SessionEnvironment } from '../src/index.ts';

export const HELLO: Hello = {
  type: 'hello',
  relaying: false,
  allowance: { requestsPerSecond: 1, burst: 2, handshakes: 3, links: 4 },
  listening: [],
};

const provider: CryptoProvider = portableProvider;

/** One node as its sessions see it, and everything it is told. */
export class TestNode implements SessionEnvironment {
  readonly provider: CryptoProvider = provider;
  readonly random: SessionEnvironment['random'];
  readonly clock: SessionEnvironment['clock'];
  readonly slabs: CountingPool = new CountingPool();
  readonly identity: Identity;
  readonly staticKey: SessionEnvironment['staticKey'];
  readonly psk: Uint8Array;
  readonly protocols: Protocols = new Protocols();
  readonly acceptAnonymous: boolean;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly relay: SessionEnvironment['relay'];

  readonly opened: Session[] = [];
  readonly ended: { readonly session: Session; readonly reason: MatryoshkaError }[] = [];
  readonly hellos: Hello[] = [];
  readonly relayed: (RelayMessage | Uint8Array)[] = [];
  #nextId = 1;

  constructor(
    world: World,
    seed: number,
    options: {
      readonly networkKey?: Uint8Array;
      readonly acceptAnonymous?: boolean;
      readonly maxHandshakes?: number;
      readonly handshakeTimeoutMs?: number;
      readonly clock?: SessionEnvironment['clock'];
    } = {},
  ) {
    this.random = seededRandom(seed);
    this.clock = options.clock ?? world.clock;
    this.identity = createIdentity(provider, this.random);
    this.staticKey = provider.dhKeyPair(randomBytes(this.random, 32));
    this.psk = networkKeyPsk(provider, options.networkKey);
    this.acceptAnonymous = options.acceptAnonymous ?? true;
    this.maxHandshakes = options.maxHandshakes ?? 16;
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? 10_000;
    this.relay = {
      data: (_session, _high, _low, _flags, bytes) => void this.relayed.push(bytes.slice()),
      // A copy: its bytes are views of the record.
      message: (_session, message) => void this.relayed.push(structuredClone(message)),
      sessionClosed: () => {},
      sessionStalled: () => {},
      sessionFlowing: () => {},
    };
  }

  nextSessionId(): string {
    return `s${this.#nextId++}`;
  }

  hello(): Hello {
    return HELLO;
  }

  onHello(_session: Session, hello: Hello): void {
    this.hellos.push(hello);
  }

  onOpened(session: Session): void {
    this.opened.push(session);
  }

  onClosed(session: Session, reason: MatryoshkaError): void {
    this.ended.push({ session, reason });
  }
}

/** A pool that knows how many slabs are out, now and at most. */
export class CountingPool extends SlabPool {
  out = 0;
  most = 0;

  override take(): ReturnType<SlabPool['take']> {
    this.most = Math.max(this.most, ++this.out);
    return super.take();
  }

  override give(slab: Parameters<SlabPool['give']>[0]): void {
    this.out--;
    super.give(slab);
  }
}

export interface Keys {
  readonly sendKeys: RecordKeys;
  readonly receiveKeys: RecordKeys;
}

/** Record keys of both ends, as a handshake would have made them. */
export function keyPairs(): [Keys, Keys] {
  const keys = (fill: number): RecordKeys => new RecordKeys(provider, 'chacha20poly1305', new Uint8Array(32).fill(fill));
  return [
    { sendKeys: keys(1), receiveKeys: keys(2) },
    { sendKeys: keys(2), receiveKeys: keys(1) },
  ];
}

/** A session whose handshake is done. */
export function sessionOver(node: TestNode, link: Link, role: 'initiator' | 'responder', keys: Keys): Session {
  const session = new Session(node, { role, remote: { authenticated: false }, link, ...keys, anonymous: true, sends: 0 });
  link.attach(session.linkHandler);
  return session;
}

export interface Pair {
  readonly world: World;
  readonly nodes: readonly [TestNode, TestNode];
  /** Initiator and responder. */
  readonly sessions: readonly [Session, Session];
  readonly links: readonly [Link, Link];
}

/** Two sessions that talk to each other over a link in memory, real records and all, without a handshake. */
export function sessionPair(seed = 1, options: Partial<MemoryLinkOptions> = {}, world: World = createWorld({ seed })): Pair {
  const links = memoryLink({ clock: world.clock, ...options });
  const nodes = [new TestNode(world, seed * 2), new TestNode(world, seed * 2 + 1)] as const;
  const [ours, theirs] = keyPairs();
  const sessions = [sessionOver(nodes[0], links[0], 'initiator', ours), sessionOver(nodes[1], links[1], 'responder', theirs)] as const;
  return { world, nodes, sessions, links };
}

/** What a promise is rejected with; it may be rejected before anybody looks at this. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Bytes that tell where they are from. */
export function pattern(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + salt) & 0xff;
  return bytes;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
