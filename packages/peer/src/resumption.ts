import {
  type InitiatorHandshake,
  type RecordKeys,
  type SessionKeys,
  randomBetween,
  resumeProof,
  verifyResumeProof,
} from '@matryoshka/session';
import type { CloseReason, Link, LinkHandler, Timer } from '@matryoshka/transport';
import { HANDSHAKE_OPENING_LENGTH, MatryoshkaError, type Message, asMatryoshkaError } from '@matryoshka/wire';
import { type Deadline, deadline } from './deadline.ts';
import type { SessionEnvironment } from './environment.ts';
import type { EpochParts } from './epoch.ts';
import { type InitiateOptions, initiate } from './initiate.ts';
import { openMessage, recordKeys, sealMessage, sealOpening } from './opening.ts';

/** Pause before the first attempt, at most, in milliseconds: whoever lost a relay together does not come back together. */
const FIRST_PAUSE_MS = 20;
const NOTHING: Message = { type: 'cover', bytes: new Uint8Array(0) };

/** Pauses double from this on, in milliseconds, and a random half of each is left out. */
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 1000;

/** How the initiator of a session gets its links: one call, one dial. */
export interface LinkSource {
  /**
   * Dials with the first handshake message; the answer is the link's first message. A failed one rejects and is called
   * again after a pause, unless it rejects with `session.link-lost`: then there never is another link.
   */
  next(attempt: LinkAttempt, signal: AbortSignal): Promise<Link>;
  /** How long the next attempt has to wait at least, in milliseconds; 0 by default. */
  readonly pauseMs?: number;
}

/** Why a link is wanted, and what goes out first on it. */
export interface LinkAttempt {
  /** Why the link before is gone; undefined for the first one, and where a session moves that still has one. */
  readonly reason: CloseReason | undefined;
  /** The first handshake message, to go out with the dial. */
  readonly first: Uint8Array;
  /** Names the session that is to run over it, once there is one: it must not be carried by itself. */
  readonly session: string | undefined;
}

/** What both ends know of a session, and nobody else: from its first handshake. */
export interface ResumeKeys {
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** How an initiator gets on. */
export interface ResumePath {
  readonly source: LinkSource;
  readonly handshake: InitiateOptions;
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What a resumption needs of its session. */
export interface ResumptionHost {
  readonly id: string;
  /** Whether not one record of the other side has ever come. */
  readonly unheard: boolean;
  /** Length of the record that goes out behind the opening of a new session: a resume looks as if it had one. */
  firstRecordLength(): number;
  /** What it asks for as it opens a session. */
  readonly traffic: { readonly askedFor: number };
  /**
   * The point of no return: from here on the old link is neither read nor sent to. Returns how many numbered records were
   * received in all, or undefined where the old link has come back and is to stay.
   * @param moving - the old link is given up though it is good
   */
  commit(moving: boolean): number | undefined;
  /** The other side has verified the resume and proven itself. */
  resumed(epoch: EpochParts, delivered: number): void;
  /** The session cannot go on. */
  abandoned(reason: MatryoshkaError): void;
}

/** One attempt. */
interface Plan {
  readonly source: LinkSource;
  readonly reason: CloseReason | undefined;
  /** The session has a link that is good, and moves. */
  readonly moving: boolean;
}

/**
 * Gets a suspended session its next link, as its initiator, or moves an open one: dials, makes an ordinary handshake, and proves inside it to be
 * the one that opened the session (docs/protocol.md §5.2).
 *
 * | state of an attempt | on | next |
 * |---|---|---|
 * | pausing | the pause is over | dialling |
 * | dialling | the link is there | handshaking |
 * | handshaking | a good answer | session-resume goes out, the old link is given up; asking |
 * | asking | resumed, and proven | the session goes on |
 * | asking | refused as unknown, and nothing was ever heard: session-new was lost with the first link | pausing; the next attempt opens the session anew |
 * | asking | resume-refused | the session ends with that reason |
 * | any | anything else, or time is up | pausing, twice as long |
 */
export class Resumption {
  readonly #environment: SessionEnvironment;
  readonly #host: ResumptionHost;
  #keys: ResumeKeys;
  /** The other side has never had the session: the next attempt opens it. */
  #anew = false;
  readonly #path: ResumePath;
  #source: LinkSource;
  /** How long one attempt may take: a path that does not answer leaves time for others. */
  readonly #timeoutMs: number;
  #running: AbortController | undefined;
  #reason: CloseReason | undefined;
  #moving: AbortController | undefined;
  /** Why attempts have to begin if the move in progress fails. */
  #due: CloseReason | undefined;
  #lastError: MatryoshkaError | undefined;

  constructor(environment: SessionEnvironment, host: ResumptionHost, keys: ResumeKeys, path: ResumePath, graceMs: number) {
    this.#environment = environment;
    this.#host = host;
    this.#keys = keys;
    this.#path = path;
    this.#source = path.source;
    this.#timeoutMs = Math.min(path.timeoutMs, graceMs / 6);
  }

  /** What the last attempt failed with. */
  get lastError(): MatryoshkaError | undefined {
    return this.#lastError;
  }

  /** Attempts one after the other, until one succeeds or `stop`. Harmless while it runs. */
  start(reason: CloseReason): void {
    if (this.#running !== undefined) return;
    if (this.#moving !== undefined) {
      this.#due = reason;
      return;
    }
    this.#running = new AbortController();
    this.#reason = reason;
    this.#lastError = undefined;
    void this.#run(reason, this.#running);
  }

  /** Gives up the attempt in progress; a move goes on. */
  stop(): void {
    this.#due = undefined;
    this.#running?.abort();
    this.#running = undefined;
  }

  /**
   * One attempt over a link of `source` while the old link is there, which is given up at the point of no return. It takes
   * the place of attempts in progress; every later link comes from `source`, too.
   * @throws MatryoshkaError what it failed with: where that was before the point of no return, the old link stays
   */
  async move(source: LinkSource = this.#source, signal?: AbortSignal): Promise<void> {
    if (this.#moving !== undefined) throw new MatryoshkaError('session.not-reroutable', 'the session is moving to another path already');
    const due = this.#running === undefined ? undefined : this.#reason;
    this.stop();
    this.#due = due;
    const moving = new AbortController();
    this.#moving = moving;
    const abort = (): void => moving.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    try {
      await this.#attempt({ source, reason: undefined, moving: true }, moving.signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      if (this.#moving === moving) {
        this.#moving = undefined;
        if (this.#due !== undefined) this.start(this.#due);
        this.#due = undefined;
      }
    }
  }

  /** The session is over: forgets the secret it was resumed with. */
  end(): void {
    this.stop();
    this.#moving?.abort();
    this.#moving = undefined;
    this.#keys.secret.fill(0);
  }

  async #run(reason: CloseReason, running: AbortController): Promise<void> {
    const { signal } = running;
    for (let attempt = 0; !signal.aborted; attempt++) {
      // One after the other, each after its pause.
      // oxlint-disable-next-line no-await-in-loop
      await this.#pause(attempt, signal);
      if (signal.aborted) return;
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.#attempt({ source: this.#source, reason, moving: false }, signal);
        if (this.#running === running) this.#running = undefined;
        return;
      } catch (error) {
        this.#lastError = asMatryoshkaError(error, 'bug');
        if (this.#lastError.code !== 'session.link-lost' || signal.aborted) continue;
        this.stop();
        this.#host.abandoned(this.#lastError);
      }
    }
  }

  #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#environment;
    const longest = attempt === 0 ? FIRST_PAUSE_MS : Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** (attempt - 1));
    const drawnMs = randomBetween(random, attempt === 0 ? 0 : Math.floor(longest / 2), longest);
    const pauseMs = Math.max(drawnMs, this.#source.pauseMs ?? 0);
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer: Timer = clock.after(pauseMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async #attempt(plan: Plan, signal: AbortSignal): Promise<void> {
    const { moving, reason, source } = plan;
    const handshake = initiate(this.#environment, this.#path.handshake);
    // Who moves has time to look for the way: the old link is there.
    let limit = this.#limit(moving ? this.#path.timeoutMs : this.#timeoutMs, signal);
    try {
      const attempt: LinkAttempt = { reason, first: handshake.request(), session: this.#host.id };
      const link = await limit.race(source.next(attempt, limit.signal), (late) => late.close(new MatryoshkaError('aborted')));
      if (moving) {
        limit.clear();
        limit = this.#limit(this.#timeoutMs, signal);
      }
      await limit.race(
        this.#exchange(link, handshake, plan),
        () => {},
        () => link.close(new MatryoshkaError('aborted')),
      );
    } finally {
      limit.clear();
      // Overwrites the secrets of an attempt that got nowhere.
      handshake.abandon();
    }
  }

  #limit(ms: number, signal: AbortSignal): Deadline {
    return deadline(this.#environment.clock, ms, () => new MatryoshkaError('session.timeout'), signal);
  }

  /** Runs handshake and resume over `link`; resolves once the other side has decided. */
  #exchange(link: Link, handshake: InitiatorHandshake, plan: Plan): Promise<void> {
    return new Promise((resolve, reject) => {
      let asked: Asked | undefined;
      const handler: LinkHandler = {
        message: (bytes) => {
          try {
            if (asked === undefined && this.#anew) {
              this.#open(link, handshake, bytes, plan);
              resolve();
            } else if (asked === undefined) {
              asked = this.#ask(link, handshake, bytes, plan);
            } else {
              this.#decide(link, asked, bytes, plan);
              resolve();
            }
          } catch (error) {
            const failure = asMatryoshkaError(error, 'session.handshake-failed');
            reject(failure);
            asked?.wipe();
            link.close(failure);
          }
        },
        written: () => {},
        writable: () => {},
        stalled: () => {},
        flowing: () => {},
        closed: (why) => {
          asked?.wipe();
          reject(why);
        },
      };
      link.attach(handler);
    });
  }

  /** The answer is good, and the old link is given up. */
  #finish(handshake: InitiatorHandshake, answer: Uint8Array, moving: boolean): Finished {
    handshake.answer(answer);
    const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
    const length = handshake.opening(opening);
    const delivered = this.#host.commit(moving);
    if (delivered === undefined) throw new MatryoshkaError('aborted', 'the old link came back');
    return { opening, length, delivered, keys: recordKeys(this.#environment.provider, handshake.keys) };
  }

  /** Opens the session as if it were the first time: to the other side it is. */
  #open(link: Link, handshake: InitiatorHandshake, answer: Uint8Array, plan: Plan): void {
    const { opening, length, keys } = this.#finish(handshake, answer, plan.moving);
    const { sessionId, resumeSecret: secret } = handshake.keys;
    this.#keys = { sessionId, secret };
    this.#anew = false;
    sealOpening(opening, length, keys.sendKeys, { type: 'session-new', recordLength: this.#host.traffic.askedFor });
    link.send([opening]);
    link.protect(handshake.keys.maskSend, handshake.keys.maskReceive);
    this.#succeed({ link, ...keys, sends: 1 }, 0, plan);
  }

  #succeed(epoch: EpochParts, delivered: number, { source }: Plan): void {
    // Done before anybody hears of it: what comes next on the link may end it at once, and then it starts again.
    this.#running = undefined;
    this.#moving = undefined;
    this.#due = undefined;
    this.#source = source;
    this.#host.resumed(epoch, delivered);
  }

  /** Says which session goes on, and proves it. */
  #ask(link: Link, handshake: InitiatorHandshake, answer: Uint8Array, { moving }: Plan): Asked {
    const { opening, length, delivered, keys } = this.#finish(handshake, answer, moving);
    const { provider } = this.#environment;
    const { secret, sessionId } = this.#keys;
    const { handshakeHash, resumeSecret } = handshake.keys;
    // That of the first handshake stays.
    resumeSecret.fill(0);
    const proof = resumeProof(provider, secret, { role: 'initiator', handshakeHash, sessionId, delivered });
    sealOpening(opening, length, keys.sendKeys, { type: 'session-resume', sessionId, delivered, proof });
    link.send([opening]);
    link.protect(handshake.keys.maskSend, handshake.keys.maskReceive);
    link.send([sealMessage(keys.sendKeys, NOTHING, this.#host.firstRecordLength())]);
    return new Asked(handshakeHash, keys);
  }

  #decide(link: Link, asked: Asked, record: Uint8Array, plan: Plan): void {
    const message = openMessage(record, asked.receiveKeys);
    if (message?.type === 'resumed') {
      const { delivered } = message;
      const claim = { role: 'responder', handshakeHash: asked.handshakeHash, sessionId: this.#keys.sessionId, delivered } as const;
      verifyResumeProof(this.#environment.provider, this.#keys.secret, claim, message.proof);
      this.#succeed({ link, sendKeys: asked.sendKeys, receiveKeys: asked.receiveKeys, sends: 2 }, delivered, plan);
      return;
    }
    if (message?.type !== 'resume-refused') throw new MatryoshkaError('session.unexpected', 'neither resumed nor refused');
    const refusal = new MatryoshkaError(message.reason, 'the other side does not take the session up again');
    asked.wipe();
    link.close(refusal);
    this.#anew = refusal.code === 'session.resume-unknown' && this.#host.unheard;
    if (this.#anew) throw refusal;
    this.#host.abandoned(refusal);
  }
}

/** A handshake that is done but for its opening. */
interface Finished {
  readonly opening: Uint8Array;
  /** Of the third handshake message, in the opening. */
  readonly length: number;
  readonly delivered: number;
  readonly keys: ReturnType<typeof recordKeys>;
}

/** An attempt whose session-resume is out. */
class Asked {
  readonly handshakeHash: SessionKeys['handshakeHash'];
  readonly sendKeys: RecordKeys;
  readonly receiveKeys: RecordKeys;

  constructor(handshakeHash: Uint8Array, keys: { readonly sendKeys: RecordKeys; readonly receiveKeys: RecordKeys }) {
    this.handshakeHash = handshakeHash;
    this.sendKeys = keys.sendKeys;
    this.receiveKeys = keys.receiveKeys;
  }

  wipe(): void {
    this.sendKeys.wipe();
    this.receiveKeys.wipe();
  }
}
