import { type ResumeClaim, resumeProof, verifyResumeProof } from '@matryoshka/session';
import type { Timer } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';
import type { ResumeSettings } from './resume-settings.ts';
import { type LinkSource, Resumption } from './resumption.ts';
import type { ResumeParts, Session } from './session.ts';

/**
 * How long a session waits for its next link, and what is done for it meanwhile: its initiator looks for one, its
 * responder is found by it.
 */
export class Suspension {
  readonly #environment: SessionEnvironment;
  readonly #settings: ResumeSettings;
  readonly #session: Session;
  readonly #parts: ResumeParts;
  readonly #resumption: Resumption | undefined;
  /** Which of the responder's handshakes the session runs over, counted as they began. */
  #handshake = 0;
  #graceTimer: Timer | undefined;
  #stallTimer: Timer | undefined;

  constructor(environment: SessionEnvironment, settings: ResumeSettings, session: Session, parts: ResumeParts) {
    this.#environment = environment;
    this.#settings = settings;
    this.#session = session;
    this.#parts = parts;
    const { path, table } = parts;
    if (path !== undefined) this.#resumption = new Resumption(environment, session, parts, path, settings.graceMs);
    table?.add(parts.sessionId, session);
  }

  /** The session has no link from now on. */
  begin(reason: MatryoshkaError): void {
    this.#stallTimer?.cancel();
    this.#graceTimer?.cancel();
    // Between two attempts nothing else keeps a process alive whose only connection this is.
    const keepsAlive = this.#resumption !== undefined;
    this.#graceTimer = this.#environment.clock.after(this.#settings.graceMs, () => this.#expire(reason), { keepsAlive });
    this.#parts.table?.suspend(this.#session);
    if (this.#session.suspended) this.#resumption?.start(reason);
  }

  /** What carries the session's link is interrupted: its initiator bears that for a while. */
  stalled(): void {
    const { clock } = this.#environment;
    const { graceMs, stallMs } = this.#settings;
    const reason = new MatryoshkaError('session.path-stalled', 'what carries the link is interrupted');
    // Whoever carries it gives up before; unless the session carries itself, in a way that nobody sees.
    this.#graceTimer = clock.after(2 * graceMs, () => this.#session.abandoned(reason));
    if (this.#resumption === undefined || this.#session.link.info.kind === 'direct') return;
    // The path is at fault, and not silent: whoever it is that does not answer says so on the way.
    const interrupted = new MatryoshkaError('session.link-lost', reason.message);
    this.#stallTimer = clock.after(stallMs, () => this.#resumption?.start(interrupted));
  }

  /** It is not any more: before the point of no return an attempt is given up. */
  flowing(): void {
    this.#graceTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#resumption?.stop();
  }

  /** Moves the session to a link of `source`; see {@link Resumption.move}. @throws MatryoshkaError `session.not-reroutable` for who has not opened it */
  async move(source: LinkSource | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#resumption === undefined)
      throw new MatryoshkaError('session.not-reroutable', 'only the side that opened a connection chooses its path');
    await this.#resumption.move(source, signal);
  }

  /** The session has its next link. */
  end(): void {
    this.#graceTimer?.cancel();
    this.#parts.table?.resume(this.#session);
  }

  /** The session is over. */
  over(reason: MatryoshkaError): void {
    this.#graceTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#resumption?.end();
    this.#parts.table?.remove(this.#parts.sessionId, this.#session, reason.code);
    this.#parts.secret.fill(0);
  }

  /** Proves `claim` to the other side. */
  prove(claim: ResumeClaim): Uint8Array {
    return resumeProof(this.#environment.provider, this.#parts.secret, claim);
  }

  /** @throws MatryoshkaError `session.resume-failed` unless the other side has proven `claim` */
  verify(claim: ResumeClaim, proof: Uint8Array): void {
    verifyResumeProof(this.#environment.provider, this.#parts.secret, claim, proof);
  }

  /**
   * The session is to go on over the link of the responder's `nth` handshake. Its initiator makes one after the other: an
   * opening of an earlier one has come late, and its link was given up long ago.
   * @throws MatryoshkaError `session.resume-failed` for a handshake that began before that of the newest link
   */
  supersede(nth: number): void {
    if (nth < this.#handshake) throw new MatryoshkaError('session.resume-failed', 'a resume that has come late');
    this.#handshake = nth;
  }

  #expire(reason: MatryoshkaError): void {
    const tried = this.#resumption?.lastError;
    const why = tried === undefined ? '' : `; the last attempt to resume it: ${tried.message}`;
    const cause = tried ?? reason;
    this.#session.abandoned(new MatryoshkaError(reason.code, `${reason.message}${why}`, { cause }));
  }
}
