import { ACKNOWLEDGE_LENGTH, type RemoteIdentity, ResponderHandshake, type SessionKeys } from '@matryoshka/session';
import { FairTable, type Link, type LinkHandler, type Place, type Timer, sourceNetwork } from '@matryoshka/transport';
import { HANDSHAKE_OPENING_LENGTH, MatryoshkaError, type SessionResume, asMatryoshkaError } from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';
import type { EpochParts } from './epoch.ts';
import { hourBucket } from './initiate.ts';
import { openOpening, recordKeys, sealMessage } from './opening.ts';
import { DEFAULT_RESUME_SETTINGS } from './resume-settings.ts';
import { Session } from './session.ts';
import { SessionTable } from './session-table.ts';

/** A handshake that was answered. */
interface Begun {
  /** How many there were before and with it. */
  readonly nth: number;
  readonly answeredAtMs: number;
}

/** What counts as one source of direct links. */
const SOURCE_BITS = { ipv4Bits: 24, ipv6Bits: 48 };

/**
 * Answers handshakes, one per node: on links of listeners and on relay links alike. It bounds how many are in progress,
 * and how long each may take. When there is no room, the oldest one of the source with the most has to go: whoever fills
 * the room keeps nobody else out.
 *
 * | state of a handshake | on | next |
 * |---|---|---|
 * | offered | the door refuses, the request fails | link closed: the refusal |
 * | offered | the request is good | answer sent, `answered` |
 * | answered | the opening is good | session, or its goodbye with the reason why not |
 * | answered | the opening resumes a session of ours, by the same party | resumed goes out, the session goes on over the link |
 * | answered | the opening resumes anything else | resume-refused, link closed |
 * | answered | the opening fails, the deadline passes, it has to make room | link closed |
 */
export class Acceptor {
  readonly #environment: SessionEnvironment;
  readonly #inProgress = new Set<Link>();
  readonly #places: FairTable;
  readonly #table: SessionTable;
  /** Handshakes so far. */
  #handshakes = 0;
  #closed: MatryoshkaError | undefined;

  constructor(environment: SessionEnvironment) {
    this.#environment = environment;
    this.#places = new FairTable(
      () => environment.maxHandshakes,
      () => environment.door?.evicted(),
    );
    this.#table = new SessionTable(environment.resume ?? DEFAULT_RESUME_SETTINGS);
  }

  /** Sessions that wait for their next link. */
  get suspended(): number {
    return this.#table.suspended;
  }

  /** Handshakes in progress. */
  get inProgress(): number {
    return this.#inProgress.size;
  }

  /** Takes an accepted link and its first message, which is borrowed during the call. */
  offer(link: Link, first: Uint8Array): void {
    const environment = this.#environment;
    const refusal = this.#closed ?? environment.door?.knock(link, first);
    if (refusal !== undefined) {
      link.close(refusal);
      return;
    }
    const handshake = new ResponderHandshake({
      provider: environment.provider,
      random: environment.random,
      keyPairs: environment.keyPairs,
      psk: environment.psk,
      identity: environment.identity,
      staticKey: environment.staticKey,
      secretStatic: environment.door?.hidden,
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
    const place = this.#places.enter(sourceOf(link), () => link.close(new MatryoshkaError('session.busy')));
    const timer = environment.clock.after(environment.handshakeTimeoutMs, () => link.close(new MatryoshkaError('session.timeout')));
    const begun = { nth: ++this.#handshakes, answeredAtMs: environment.clock.now() };
    link.attach(this.#awaitOpening(link, handshake, begun, place, timer));
    link.send([answer]);
  }

  /** Ends the handshakes in progress, and refuses all that come from now on. */
  close(reason: MatryoshkaError): void {
    this.#closed ??= reason;
    for (const link of [...this.#inProgress]) link.close(reason);
  }

  #awaitOpening(link: Link, handshake: ResponderHandshake, begun: Begun, place: Place, timer: Timer): LinkHandler {
    const finished = (): void => {
      timer.cancel();
      place.leave();
      this.#inProgress.delete(link);
      // Overwrites the secrets of a handshake that got nowhere.
      handshake.abandon();
    };
    return {
      message: (bytes) => {
        try {
          this.#open(link, handshake, begun, bytes);
        } catch (error) {
          link.close(asMatryoshkaError(error, 'session.handshake-failed'));
        } finally {
          finished();
        }
      },
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: finished,
    };
  }

  #open(link: Link, handshake: ResponderHandshake, { nth, answeredAtMs }: Begun, bytes: Uint8Array): void {
    const environment = this.#environment;
    if (bytes.length !== HANDSHAKE_OPENING_LENGTH) throw new MatryoshkaError('session.handshake-failed');
    const { identity: remote, length } = handshake.opening(bytes);
    const { keys } = handshake;
    link.protect(keys.maskSend, keys.maskReceive);
    const epoch = { link, ...recordKeys(environment.provider, keys) };
    const first = openOpening(bytes.subarray(length), epoch.receiveKeys);
    if (first.type === 'session-resume') {
      this.#resume(epoch, keys, nth, remote, first);
      return;
    }
    const ended = this.#table.ended(keys.sessionId);
    const resume = { sessionId: keys.sessionId, secret: keys.resumeSecret, table: this.#table };
    const session = new Session(environment, {
      ...epoch,
      role: 'responder',
      remote,
      anonymous: false,
      sends: 1,
      recordLength: first.recordLength,
      handshakeMs: environment.clock.now() - answeredAtMs,
      resume,
    });
    link.attach(session.linkHandler);
    const refusal = ended === undefined ? this.#refusal(session) : new MatryoshkaError(ended);
    if (refusal !== undefined) session.close(refusal);
    else environment.onOpened(session);
  }

  /** Hands link and keys to the session found, if its initiator has proven to be the same (docs/protocol.md §5.2). */
  #resume(epoch: Omit<EpochParts, 'sends'>, keys: SessionKeys, nth: number, remote: RemoteIdentity, message: SessionResume): void {
    const { link, sendKeys } = epoch;
    const { handshakeHash } = keys;
    // That of the first handshake stays.
    keys.resumeSecret.fill(0);
    const sessionId = message.sessionId.slice();
    const session = this.#table.find(sessionId);
    try {
      if (session === undefined) throw new MatryoshkaError(this.#table.refuse(sessionId));
      if (!sameParty(session.remote, remote)) throw new MatryoshkaError('session.resume-unknown');
      const refusal = this.#environment.door?.enter(remote, link);
      if (refusal !== undefined) throw refusal;
      session.suspension.verify({ role: 'initiator', handshakeHash, sessionId, delivered: message.delivered }, message.proof);
      session.suspension.supersede(nth);
    } catch (error) {
      const refusal = asMatryoshkaError(error, 'bug');
      link.send([sealMessage(sendKeys, { type: 'resume-refused', reason: refusal.code })]);
      link.close(refusal);
      epoch.receiveKeys.wipe();
      sendKeys.wipe();
      return;
    }
    const { delivered } = session;
    const proof = session.suspension.prove({ role: 'responder', handshakeHash, sessionId, delivered });
    // As long as the first record of a new session, which acknowledges the initiator's hello.
    link.send([sealMessage(sendKeys, { type: 'resumed', delivered, proof }, session.firstRecordLength(ACKNOWLEDGE_LENGTH))]);
    session.resumed({ ...epoch, sends: 2 }, message.delivered);
  }

  /** The other side has proven the network key: from here on a refusal says why (principle 5). */
  #refusal(session: Session): MatryoshkaError | undefined {
    const { link, remote } = session;
    const { acceptAnonymous, door, identity } = this.#environment;
    if (remote.authenticated && remote.peerId === identity.peerId) return new MatryoshkaError('session.self');
    const refusal = door?.enter(remote, link);
    if (refusal !== undefined || remote.authenticated || acceptAnonymous) return refusal;
    return new MatryoshkaError('session.anonymous-refused');
  }
}

/** Whose share of the room a handshake takes: of one over relay links that of the direct neighbour they all come through. */
function sourceOf({ info, remote }: Link): string {
  return info.carriers.at(-1) ?? sourceNetwork(remote.host, SOURCE_BITS);
}

/** Whether `now` is the party that `before` was: the proof says so of an anonymous one. */
function sameParty(before: RemoteIdentity, now: RemoteIdentity): boolean {
  if (!before.authenticated || !now.authenticated) return before.authenticated === now.authenticated;
  return before.peerId === now.peerId;
}
