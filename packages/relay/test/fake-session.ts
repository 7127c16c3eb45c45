import type { Session } from '@matryoshka/peer';
import { type PeerId, peerIdFromHash } from '@matryoshka/session';
import { type Endpoint, type Hello, type Message, type MatryoshkaError, parseEndpoint } from '@matryoshka/wire';

/** What a session looks like to those who choose among sessions. */
export interface FakeSessionOptions {
  readonly id?: string;
  /** The other side's identity; anonymous without. */
  readonly peerId?: PeerId;
  /** `host:port` that the link comes from. */
  readonly remote?: string;
  /** `host:port` that this node dialled. */
  readonly dialled?: string;
  /** Endpoints that the other side announces. */
  readonly listening?: readonly string[];
  readonly relaying?: boolean;
  /** Whether its hello has come. */
  readonly greeted?: boolean;
  /** Ids of the sessions that carry it; none for a direct one. */
  readonly carriers?: readonly string[];
  /** Whether this node shows no identity on it. */
  readonly anonymous?: boolean;
  readonly sending?: boolean;
  readonly stalled?: boolean;
  readonly role?: 'initiator' | 'responder';
  readonly roundTripMs?: number;
  readonly bytesPerSecond?: number;
}

/** A session that only is looked at, and remembers what was sent on it. */
export type FakeSession = Session & {
  readonly sent: Message[];
  end(): void;
  greet(): void;
  readonly closeReason: MatryoshkaError | undefined;
};

let made = 0;

export function fakeSession(options: FakeSessionOptions = {}): FakeSession {
  const { carriers = [], greeted = true } = options;
  const id = options.id ?? `fake${++made}`;
  const hello: Hello = {
    type: 'hello',
    relaying: options.relaying ?? true,
    allowance: { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 },
    listening: (options.listening ?? []).map(parseEndpoint),
  };
  const { promise: closed, resolve } = Promise.withResolvers<MatryoshkaError>();
  const { promise: saidHello, resolve: greet } = Promise.withResolvers<void>();
  const sent: Message[] = [];
  const session = {
    id,
    role: options.role ?? (carriers.length === 0 ? 'responder' : 'initiator'),
    remote: options.peerId === undefined ? { authenticated: false } : { authenticated: true, peerId: options.peerId },
    link: {
      local: parseEndpoint('192.0.2.1:999'),
      remote: parseEndpoint(options.remote ?? '203.0.113.1:5000'),
      info: { kind: carriers.length === 0 ? 'direct' : 'relayed', nesting: carriers.length, carriers },
    },
    dialled: options.dialled === undefined ? undefined : parseEndpoint(options.dialled),
    hello: greeted ? hello : undefined,
    anonymous: options.anonymous ?? false,
    sending: options.sending ?? true,
    stalled: options.stalled ?? false,
    roundTripMs: options.roundTripMs,
    bytesPerSecond: options.bytesPerSecond ?? 0,
    measureRoundTrip() {},
    openedAtMs: 0,
    streams: [] as unknown[],
    sent,
    greeted: saidHello,
    greet,
    closed,
    closeReason: undefined as MatryoshkaError | undefined,
    outbox: { turn() {}, ready() {}, remove() {}, drained() {}, controlBytes: 0 },
    send(message: Message): void {
      if (session.sending) sent.push(message);
    },
    close(reason: MatryoshkaError): void {
      if (!session.sending) return;
      session.sending = false;
      session.closeReason = reason;
      resolve(reason);
    },
    end(): void {
      session.sending = false;
    },
  };
  return session as unknown as FakeSession;
}

/** A peer id for tests: the same number, the same peer. */
export function fakePeer(number: number): PeerId {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, number);
  return peerIdFromHash(hash);
}

export function endpoint(text: string): Endpoint {
  return parseEndpoint(text);
}
