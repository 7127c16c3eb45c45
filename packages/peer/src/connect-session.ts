import type { InitiatorHandshake } from '@matryoshka/session';
import type { Link, LinkHandler } from '@matryoshka/transport';
import { type Endpoint, HANDSHAKE_OPENING_LENGTH, MatryoshkaError, asMatryoshkaError } from '@matryoshka/wire';
import { deadline } from './deadline.ts';
import type { SessionEnvironment } from './environment.ts';
import { type InitiateOptions, initiate, isAnonymous } from './initiate.ts';
import { recordKeys, sealOpening } from './opening.ts';
import type { LinkSource } from './resumption.ts';
import { Session } from './session.ts';
import { recordLengthOf } from './traffic/session-traffic.ts';
import { TRAFFIC_PRESETS, type TrafficSettings } from './traffic/traffic-settings.ts';

/** Whom to connect to, and how. */
export interface ConnectSessionOptions extends InitiateOptions {
  /** The endpoint that is dialled, if this is a direct connection. */
  readonly dialled?: Endpoint;
  /** How the session's records look from outside; by default as those of all sessions do. */
  readonly traffic?: TrafficSettings;
  /** How long dial and handshake may take, in milliseconds; the environment's handshake timeout by default. */
  readonly timeoutMs?: number;
  /** Gives up: `aborted`. */
  readonly signal?: AbortSignal;
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
  const handshake = initiate(environment, options);
  const timeoutMs = options.timeoutMs ?? environment.handshakeTimeoutMs;
  const limit = deadline(environment.clock, timeoutMs, noAnswer, options.signal);
  try {
    const attempt = { reason: undefined, first: handshake.request(), session: undefined };
    const link = await limit.race(source.next(attempt, limit.signal), (late) => late.close());
    return await limit.race(
      answered(environment, link, handshake, options, { source, timeoutMs }),
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
  options: ConnectSessionOptions,
  path: { readonly source: LinkSource; readonly timeoutMs: number },
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const { clock } = environment;
    const askedAtMs = clock.now();
    const handler: LinkHandler = {
      // Synchronous up to the session: nothing that comes next can be missed.
      message: (bytes) => {
        try {
          const remote = handshake.answer(bytes);
          if (remote.peerId === environment.identity.peerId) throw new MatryoshkaError('session.self');
          const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
          const length = handshake.opening(opening);
          const { sessionId, resumeSecret: secret } = handshake.keys;
          const { sendKeys, receiveKeys } = recordKeys(environment.provider, handshake.keys);
          sealOpening(opening, length, sendKeys, {
            type: 'session-new',
            recordLength: recordLengthOf(options.traffic ?? environment.traffic ?? TRAFFIC_PRESETS.plain),
          });
          link.send([opening]);
          link.protect(handshake.keys.maskSend, handshake.keys.maskReceive);
          const { dialled } = options;
          const session = new Session(environment, {
            role: 'initiator',
            remote,
            link,
            sendKeys,
            receiveKeys,
            anonymous: isAnonymous(options),
            traffic: options.traffic,
            sends: 1,
            // A relay link is there when it is answered.
            ...(link.info.kind === 'direct' && { handshakeMs: clock.now() - askedAtMs }),
            // Whoever answered the first time has to answer each time.
            resume: { sessionId, secret, path: { ...path, handshake: { ...options, demand: remote.peerId } } },
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
