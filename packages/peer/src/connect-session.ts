import { InitiatorHandshake, type PeerId } from '@matryoshka/session';
import type { CloseReason, Link, LinkHandler } from '@matryoshka/transport';
import { type Endpoint, HANDSHAKE_OPENING_LENGTH, MatryoshkaError, type SuiteName, asMatryoshkaError } from '@matryoshka/wire';
import { deadline } from './deadline.ts';
import type { SessionEnvironment } from './environment.ts';
import { recordKeys, sealOpening } from './opening.ts';
import { Session } from './session.ts';

const HOUR_MS = 3_600_000;

/** How the initiator of a session gets its links: one call, one dial. */
export interface LinkSource {
  /** Dials with the first handshake message; the answer is the link's first message. */
  next(attempt: { readonly reason: CloseReason | undefined; readonly first: Uint8Array }, signal: AbortSignal): Promise<Link>;
}

/** Whom to connect to, and how. */
export interface ConnectSessionOptions {
  /** Whom the other side must prove to be. */
  readonly demand?: PeerId;
  /** Shows no identity. */
  readonly anonymous?: boolean;
  /** ChaCha20-Poly1305 by default. */
  readonly suite?: SuiteName;
  /** Static key of a verified descriptor: makes the handshake NK, which is always anonymous. */
  readonly remoteStatic?: Uint8Array;
  /** The endpoint that is dialled, if this is a direct connection. */
  readonly dialled?: Endpoint;
  /** How long dial and handshake may take, in milliseconds; the environment's handshake timeout by default. */
  readonly timeoutMs?: number;
  /** Gives up: `aborted`. */
  readonly signal?: AbortSignal;
}

/** The hour bucket of the first handshake message (docs/protocol.md §3.2). */
export function hourBucket(unixMs: number): number {
  return Math.floor(unixMs / HOUR_MS);
}

/**
 * Opens a session as its initiator: one handshake over the next link of `source`. It resolves without waiting for the
 * other side's verdict, which would cost every hop of a circuit a round trip: a refusal of who we are (or are not) comes
 * as the reason of the session's end, and `greeted` says when there is none to come.
 * @throws MatryoshkaError `session.handshake-no-answer`, `session.handshake-failed`, `session.wrong-peer`,
 * `session.self`, `aborted`, or what the dial failed with
 */
export async function connectSession(
  environment: SessionEnvironment,
  source: LinkSource,
  options: ConnectSessionOptions = {},
): Promise<Session> {
  const anonymous = options.anonymous === true || options.remoteStatic !== undefined;
  const handshake = new InitiatorHandshake({
    provider: environment.provider,
    random: environment.random,
    suite: options.suite ?? 'chacha20poly1305',
    pattern: options.remoteStatic === undefined ? 'XX' : 'NK',
    psk: environment.psk,
    hour: hourBucket(environment.clock.unixMs()),
    ...(anonymous ? {} : { identity: environment.identity }),
    ...(options.demand !== undefined && { demand: options.demand }),
    ...(options.remoteStatic !== undefined && { remoteStatic: options.remoteStatic }),
  });
  const limit = deadline(environment.clock, options.timeoutMs ?? environment.handshakeTimeoutMs, noAnswer, options.signal);
  try {
    const link = await limit.race(source.next({ reason: undefined, first: handshake.request() }, limit.signal), (late) => late.close());
    return await limit.race(
      answered(environment, link, handshake, { ...options, anonymous }),
      (late) => late.close(new MatryoshkaError('aborted')),
      () => link.close(new MatryoshkaError('aborted')),
    );
  } finally {
    limit.clear();
    // Overwrites the secrets of an attempt that got nowhere.
    handshake.abandon();
  }
}

function noAnswer(): MatryoshkaError {
  return new MatryoshkaError(
    'session.handshake-no-answer',
    'the handshake got no answer: usual causes are another network key, a clock that is off by more than an hour, or no node of this kind at that endpoint',
  );
}

/** Waits for the answer on `link` and turns both into a session. */
function answered(
  environment: SessionEnvironment,
  link: Link,
  handshake: InitiatorHandshake,
  options: ConnectSessionOptions & { anonymous: boolean },
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const handler: LinkHandler = {
      // Synchronous up to the session: nothing that comes next can be missed.
      message: (bytes) => {
        try {
          const remote = handshake.answer(bytes);
          if (remote.peerId === environment.identity.peerId) throw new MatryoshkaError('session.self');
          const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
          const length = handshake.opening(opening);
          const { sendKeys, receiveKeys } = recordKeys(environment.provider, handshake.keys);
          sealOpening(opening, length, sendKeys, { type: 'session-new' });
          link.send([opening]);
          const { dialled, anonymous } = options;
          const session = new Session(environment, {
            role: 'initiator',
            remote,
            link,
            sendKeys,
            receiveKeys,
            anonymous,
            sends: 1,
            ...(dialled && { dialled }),
          });
          link.attach(session.linkHandler);
          environment.onOpened(session);
          resolve(session);
        } catch (error) {
          const failure = asMatryoshkaError(error, 'session.handshake-failed');
          reject(failure);
          link.close(failure);
        }
      },
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: (reason) => reject(reason.code === 'transport.closed' ? noAnswer() : reason),
    };
    link.attach(handler);
  });
}
