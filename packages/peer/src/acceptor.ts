import { RecordKeys, ResponderHandshake } from '@matryoshka/session';
import type { Link, LinkHandler, Timer } from '@matryoshka/transport';
import { HANDSHAKE_OPENING_LENGTH, MatryoshkaError, asMatryoshkaError } from '@matryoshka/wire';
import { hourBucket } from './connect-session.ts';
import type { SessionEnvironment } from './environment.ts';
import { openOpening } from './opening.ts';
import { Session } from './session.ts';

/**
 * Answers handshakes, one per node: on links of listeners and on relay links alike. It bounds how many are in progress,
 * and how long each may take.
 *
 * | state of a handshake | on | next |
 * |---|---|---|
 * | offered | the request fails or there is no room | link closed: the refusal |
 * | offered | the request is good | answer sent, `answered` |
 * | answered | the opening is good | session |
 * | answered | the opening fails, the deadline passes | link closed |
 */
export class Acceptor {
  readonly #environment: SessionEnvironment;
  readonly #inProgress = new Set<Link>();

  constructor(environment: SessionEnvironment) {
    this.#environment = environment;
  }

  /** Handshakes in progress. */
  get inProgress(): number {
    return this.#inProgress.size;
  }

  /** Takes an accepted link and its first message, which is borrowed during the call. */
  offer(link: Link, first: Uint8Array): void {
    const environment = this.#environment;
    if (this.#inProgress.size >= environment.maxHandshakes) {
      link.close(new MatryoshkaError('session.busy'));
      return;
    }
    const handshake = new ResponderHandshake({
      provider: environment.provider,
      random: environment.random,
      psk: environment.psk,
      identity: environment.identity,
      staticKey: environment.staticKey,
      hour: hourBucket(environment.clock.unixMs()),
    });
    let answer: Uint8Array;
    try {
      handshake.request(first);
      answer = handshake.answer();
    } catch (error) {
      link.close(asMatryoshkaError(error, 'session.handshake-failed'));
      return;
    }
    this.#inProgress.add(link);
    const timer = environment.clock.after(environment.handshakeTimeoutMs, () => link.close(new MatryoshkaError('session.timeout')));
    link.attach(this.#awaitOpening(link, handshake, timer));
    link.send([answer]);
  }

  #awaitOpening(link: Link, handshake: ResponderHandshake, timer: Timer): LinkHandler {
    const finished = (): void => {
      timer.cancel();
      this.#inProgress.delete(link);
    };
    return {
      message: (bytes) => {
        finished();
        try {
          this.#open(link, handshake, bytes);
        } catch (error) {
          link.close(asMatryoshkaError(error, 'session.handshake-failed'));
        }
      },
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: finished,
    };
  }

  #open(link: Link, handshake: ResponderHandshake, bytes: Uint8Array): void {
    const environment = this.#environment;
    if (bytes.length !== HANDSHAKE_OPENING_LENGTH) throw new MatryoshkaError('session.handshake-failed');
    const { identity: remote, length } = handshake.opening(bytes);
    const { keys } = handshake;
    const sendKeys = new RecordKeys(environment.provider, keys.suite, keys.send);
    const receiveKeys = new RecordKeys(environment.provider, keys.suite, keys.receive);
    const first = openOpening(bytes.subarray(length), receiveKeys);
    const session = new Session(environment, { role: 'responder', remote, link, sendKeys, receiveKeys, anonymous: false, sends: 1 });
    link.attach(session.linkHandler);
    const refusal = this.#refusal(session, first.type);
    if (refusal !== undefined) session.close(refusal);
    else environment.onOpened(session);
  }

  /** The other side has proven the network key: from here on a refusal says why (principle 5). */
  #refusal(session: Session, first: 'session-new' | 'session-resume'): MatryoshkaError | undefined {
    if (first === 'session-resume') return new MatryoshkaError('session.resume-unknown');
    const { remote } = session;
    if (!remote.authenticated) return this.#environment.acceptAnonymous ? undefined : new MatryoshkaError('session.anonymous-refused');
    return remote.peerId === this.#environment.identity.peerId ? new MatryoshkaError('session.self') : undefined;
  }
}
