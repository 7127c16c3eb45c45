import { ACKNOWLEDGE_AFTER_MS, Delivery, RecordWriter, type RemoteIdentity, randomBytes } from '@matryoshka/session';
import type { CloseReason, Link, LinkHandler, Timer } from '@matryoshka/transport';
import {
  type Endpoint,
  type Hello,
  MatryoshkaError,
  type Message,
  PING_LENGTH,
  asMatryoshkaError,
  messageLength,
  statedReason,
} from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';
import { type DispatchHost, Dispatcher } from './dispatcher.ts';
import { Epoch, type EpochParts } from './epoch.ts';
import { Liveness } from './liveness.ts';
import { Outbox, type OutboxHost } from './outbox.ts';
import type { LinkSource, ResumeKeys, ResumePath, ResumptionHost } from './resumption.ts';
import type { SessionTable } from './session-table.ts';
import type { Stream } from './stream.ts';
import { StreamTable } from './stream-table.ts';
import { Suspension } from './suspension.ts';
import { Throughput } from './throughput.ts';
import { SessionTraffic } from './traffic/session-traffic.ts';
import type { TrafficSettings } from './traffic/traffic-settings.ts';

/** What a session is made of once its handshake is done. */
export interface SessionParts extends EpochParts {
  /** Who began the handshake. */
  readonly role: 'initiator' | 'responder';
  /** Who is at the other end. */
  readonly remote: RemoteIdentity;
  /** The endpoint this node dialled to get here, if it did (R9). */
  readonly dialled?: Endpoint;
  /** Whether this side showed its identity. */
  readonly anonymous: boolean;
  /** How its records look from outside; without it as those of all sessions do. */
  readonly traffic?: TrafficSettings | undefined;
  /** Record length that its initiator asked for when it opened it; 0: none. */
  readonly recordLength?: number;
  /** Round-trip time of its handshake, in milliseconds, where it says something of its link. */
  readonly handshakeMs?: number;
  /** What lets it go on over another link; without it it ends with its link. */
  readonly resume?: ResumeParts;
}

/** What lets a session go on over another link. */
export interface ResumeParts extends ResumeKeys {
  /** How the initiator gets its links. */
  readonly path?: ResumePath;
  /** Where the responder's sessions are found. */
  readonly table?: SessionTable;
}

/**
 * A session over its link: seals, opens and dispatches messages, runs streams, outlives its links, and tells its
 * environment what happens.
 *
 * | state | on | next |
 * |---|---|---|
 * | `ready` | `close()`; a fault of the other side | `closing` |
 * | `closing` | what may still go out and the goodbye are sent | link closes, `closed` |
 * | `ready` | goodbye from the other side | link closes, `closed` |
 * | `ready` | the link closes, a record fails, nobody answers; its initiator is about to resume a stalled one | `suspended`; the initiator looks for the next link |
 * | `suspended` | a verified resume | `ready` |
 * | `suspended` | the grace period is over, the resume is refused, `close()` | `closed` |
 * | `closed` | anything | nothing |
 */
export class Session implements OutboxHost, ResumptionHost {
  /** Names the session within this node; never travels. */
  readonly id: string;
  /** Who began the handshake; the same in all its epochs. */
  readonly role: 'initiator' | 'responder';
  /** Who is at the other end, proven by the handshake. */
  readonly remote: RemoteIdentity;
  /** The endpoint this node dialled to get here, if it did (R9). */
  readonly dialled: Endpoint | undefined;
  /** Whether this side showed its identity. */
  readonly anonymous: boolean;
  /** When its first handshake was done, in milliseconds of the environment's clock. */
  readonly openedAtMs: number;
  /** Resolves with the reason when the session is over; never rejects. */
  readonly closed: Promise<MatryoshkaError>;
  /** Resolves when the other side's hello has come, or the session is over. */
  readonly greeted: Promise<void>;

  readonly #environment: SessionEnvironment;
  readonly #delivery: Delivery;
  readonly #outbox: Outbox;
  readonly #streams: StreamTable;
  readonly #liveness: Liveness;
  readonly #suspension: Suspension | undefined;
  readonly #dispatcher: Dispatcher;
  /** How its records look from outside. */
  readonly traffic: SessionTraffic;
  #epoch: Epoch;
  #linkHandler: LinkHandler;
  #resolveClosed!: (reason: MatryoshkaError) => void;
  #resolveGreeted!: () => void;
  #state: 'ready' | 'suspended' | 'closing' | 'closed' = 'ready';
  #linkStalled = false;
  #hello: Hello | undefined;
  #acknowledgeTimer: Timer | undefined;
  #bytesReceived = 0;
  /** Of the epochs before this one. */
  #bytesSentBefore = 0;
  readonly #throughput: Throughput;
  readonly #handshakeMs: number | undefined;

  constructor(environment: SessionEnvironment, parts: SessionParts) {
    this.#environment = environment;
    this.id = environment.nextSessionId();
    this.role = parts.role;
    this.remote = parts.remote;
    this.dialled = parts.dialled;
    this.anonymous = parts.anonymous;
    this.openedAtMs = environment.clock.now();
    this.#handshakeMs = parts.handshakeMs;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.greeted = new Promise((resolve) => {
      this.#resolveGreeted = resolve;
    });
    this.#delivery = new Delivery(environment.resume?.retainedBytes);
    this.#throughput = new Throughput(this.openedAtMs);
    this.#epoch = new Epoch(environment, parts.role, parts);
    this.#linkHandler = this.#handlerOf(this.#epoch);
    this.#outbox = new Outbox(this, environment.clock, new RecordWriter(environment.slabs), this.#delivery, this.#epoch);
    this.#streams = new StreamTable(
      parts.role,
      this.#outbox,
      (protocol) => environment.protocols.find(protocol),
      (handler, stream) => handler(stream, this),
    );
    this.#liveness = new Liveness(environment.clock, {
      // Whoever is next to a fault finds it first and tells the others; who has no other link to look for bears more.
      owed: () => this.#suspension !== undefined && this.link.info.kind === 'direct' && this.#delivery.retainedBytes > 0,
      tick: () => {
        this.#throughput.sample(environment.clock.now(), this.bytesReceived + this.bytesSent);
        this.#epoch.keys.tick();
        if (this.#epoch.keys.due) this.#outbox.flushSoon();
      },
      probe: () => this.#outbox.control({ type: 'ping', token: randomBytes(environment.random, PING_LENGTH) }),
      dead: () => this.#lost(new MatryoshkaError('session.path-stalled')),
    });
    this.#dispatcher = new Dispatcher(this.#dispatchHost(), {
      delivery: this.#delivery,
      outbox: this.#outbox,
      streams: this.#streams,
      liveness: this.#liveness,
    });
    const { resume } = environment;
    if (parts.resume !== undefined && resume !== undefined && resume.graceMs > 0)
      this.#suspension = new Suspension(environment, resume, this, parts.resume);
    this.#outbox.control(environment.hello(this));
    this.traffic = new SessionTraffic(environment, this.#outbox, parts.traffic, parts.recordLength ?? 0, parts.role === 'initiator');
    this.traffic.apply();
    this.traffic.start();
  }

  /** The link there is, or the last one there was. */
  get link(): Link {
    return this.#epoch.link;
  }

  /** The owner of the session's link. */
  get linkHandler(): LinkHandler {
    return this.#linkHandler;
  }

  /** Where streams, control messages and relay links send from. */
  get outbox(): Outbox {
    return this.#outbox;
  }

  /** Whether the session is open; it may be suspended. */
  get sending(): boolean {
    return this.#state !== 'closed';
  }

  /** Whether nothing gets through for now: it is suspended, or what carries its link is interrupted. */
  get stalled(): boolean {
    return this.#state === 'suspended' || this.#linkStalled;
  }

  /** Whether it waits for its next link. */
  get suspended(): boolean {
    return this.#state === 'suspended';
  }

  /** The other side's newest hello, once it has come. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** Bytes of all records that came, those of the handshake not counted. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Bytes of all records that were sent, those that were sent again too, those of the handshake not counted. */
  get bytesSent(): number {
    return this.#bytesSentBefore + this.#epoch.bytesSent;
  }

  /** How long the key it seals with has been in use, in milliseconds. */
  get keyAgeMs(): number {
    return this.#epoch.keys.ageMs;
  }

  /** The open streams of both sides. */
  get streams(): Iterable<Stream> {
    return this.#streams;
  }

  /** Round-trip time of the newest answered probe, or before there was one of the handshake where it says so, in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.#liveness.roundTripMs ?? this.#handshakeMs;
  }

  /** Bytes that the session has carried in a second at most, of late, both directions together. */
  get bytesPerSecond(): number {
    return this.#throughput.sample(this.#environment.clock.now(), this.bytesReceived + this.bytesSent);
  }

  /** Asks for it anew, unless that was done lately. */
  measureRoundTrip(): void {
    if (this.#state === 'ready' && !this.#linkStalled) this.#liveness.measure();
  }

  /**
   * Opens a stream; resolves when the other side serves `protocol`.
   * @throws MatryoshkaError `stream.unknown-protocol`, `stream.limit`, `aborted`, or why the session ended; RangeError
   * for a name of no or more than 255 bytes
   */
  openStream(protocol: string, options: { readonly signal?: AbortSignal } = {}): Promise<Stream> {
    if (this.#state === 'closed') return this.closed.then((reason) => Promise.reject(reason));
    return this.#streams.open(protocol, options.signal);
  }

  /** Sends a control message with the next flush. @throws RangeError for one that fits into no record */
  send(message: Message): void {
    if (this.#state === 'ready' || this.#state === 'suspended') this.#outbox.control(message);
  }

  /**
   * Says goodbye with a reason and closes. What streams have not sent is lost; while suspended also what the other side has
   * not received, and it does not hear of the end. Idempotent.
   */
  close(reason: CloseReason = statedReason('closed')): void {
    this.#close(reason, true);
  }

  #close(reason: CloseReason, orderly: boolean): void {
    if (this.#state === 'suspended') this.#end(reason);
    if (this.#state !== 'ready') return;
    this.#state = 'closing';
    this.#outbox.finish({ type: 'goodbye', reason: reason.code }, orderly);
    this.#end(reason);
  }

  #dispatchHost(): DispatchHost {
    const { relay } = this.#environment;
    return {
      isOpen: () => this.sending,
      hello: (message) => {
        this.#hello = message;
        this.#environment.onHello(this, message);
        this.#resolveGreeted();
      },
      goodbye: (message) => this.#end(statedReason(message.reason)),
      keyUpdate: (message) => {
        this.#epoch.keys.read(message);
        if (this.#epoch.keys.due) this.#outbox.flushSoon();
      },
      shape: (recordLength) => this.traffic.asked(recordLength),
      relayData: (high, low, flags, bytes) => relay.data(this, high, low, flags, bytes),
      relay: (message) => relay.message(this, message),
    };
  }

  #handlerOf(epoch: Epoch): LinkHandler {
    return {
      message: (bytes) => {
        if (epoch === this.#epoch) this.#record(bytes);
      },
      written: (sends) => {
        epoch.written(sends);
        this.#outbox.written();
      },
      writable: () => {
        epoch.writable();
        if (epoch === this.#epoch) this.#outbox.flush();
      },
      stalled: () => {
        if (epoch === this.#epoch) this.#stall();
      },
      flowing: () => {
        if (epoch === this.#epoch) this.#flow();
      },
      closed: (reason) => {
        epoch.closed();
        this.#outbox.written();
        if (epoch === this.#epoch && this.#state === 'ready') this.#lost(linkLost(reason));
      },
    };
  }

  #record(bytes: Uint8Array): void {
    if (this.#state !== 'ready') return;
    const keys = this.#epoch.keys.receive;
    let plaintext: Uint8Array;
    try {
      plaintext = keys.open(bytes);
    } catch (error) {
      // A record that fails ends the link without a word: who sent it may be anyone (docs/protocol.md §2).
      this.#lost(asMatryoshkaError(error, 'session.record-failed'));
      return;
    }
    this.#bytesReceived += bytes.length;
    this.#liveness.heard();
    try {
      if (this.#dispatcher.dispatch(plaintext)) this.#delivery.receive(bytes.length);
    } catch (error) {
      this.failed(error);
      return;
    } finally {
      keys.free();
    }
    if (this.#state !== 'ready') return;
    if (this.#delivery.due === 'now') this.#outbox.acknowledge();
    else if (this.#delivery.due === 'later')
      this.#acknowledgeTimer ??= this.#environment.clock.after(ACKNOWLEDGE_AFTER_MS, this.#onAcknowledge);
  }

  /** Called by the outbox. */
  owes(): void {
    if (this.#suspension !== undefined && this.link.info.kind === 'direct') this.#liveness.hurry();
  }

  /** What the other side sent is not allowed, or sending failed: says why and closes. */
  failed(error: unknown): void {
    const fault = asMatryoshkaError(error, 'bug');
    if (fault.kind === 'peer' && this.#state === 'ready') this.#environment.onMisbehaved?.(this, fault);
    this.#close(fault, false);
  }

  // ---- the link is gone, and the next one -------------------------------------------------------------------------

  /** The session cannot use its link any more. */
  #lost(reason: MatryoshkaError): void {
    if (this.#state !== 'ready') return;
    if (this.#suspension === undefined) this.#end(reason);
    else this.#suspend(this.#suspension, reason);
  }

  #suspend(suspension: Suspension, reason: MatryoshkaError): void {
    const stalled = this.#linkStalled;
    this.#state = 'suspended';
    this.#linkStalled = false;
    this.#leaveEpoch(reason);
    if (!stalled) this.#environment.relay.sessionStalled(this);
    this.#environment.onSuspended?.(this, reason);
    // Whoever heard of it may have closed the session.
    if (this.suspended) suspension.begin(reason);
  }

  /** The old link is neither read nor sent to from here on. */
  #leaveEpoch(reason: MatryoshkaError): void {
    this.#liveness.stop();
    this.traffic.stop();
    this.#acknowledgeTimer?.cancel();
    this.#acknowledgeTimer = undefined;
    this.#outbox.suspend();
    this.#epoch.end(reason);
  }

  #stall(): void {
    if (this.#state !== 'ready' || this.#linkStalled) return;
    this.#linkStalled = true;
    // Nobody can answer now.
    this.#liveness.stop();
    this.traffic.stop();
    this.#environment.relay.sessionStalled(this);
    this.#suspension?.stalled();
  }

  #flow(): void {
    if (this.#state !== 'ready' || !this.#linkStalled) return;
    this.#linkStalled = false;
    this.#liveness.restart();
    this.traffic.start();
    this.#suspension?.flowing();
    this.#environment.relay.sessionFlowing(this, false);
  }

  /**
   * Moves the session to a link of `source`, by default where its links come from now, before the old one is closed (make
   * before break). No byte is lost or repeated; later links come from `source`, too.
   * @throws MatryoshkaError `session.not-reroutable`, or why there is no such path: then the old one goes on
   */
  async reroute(source?: LinkSource, signal?: AbortSignal): Promise<void> {
    if (!this.sending) throw await this.closed;
    if (this.#suspension === undefined)
      throw new MatryoshkaError('session.not-reroutable', 'a connection that does not outlive its link has one path');
    try {
      await this.#suspension.move(source, signal);
    } catch (error) {
      throw this.sending ? error : await this.closed;
    }
  }

  /** Called by the initiator's resumption. */
  commit(moving: boolean): number | undefined {
    if (this.#state === 'ready' && moving) this.#lost(new MatryoshkaError('session.link-lost', 'the session moves to another path'));
    else if (this.#state === 'ready' && this.#linkStalled)
      this.#lost(new MatryoshkaError('session.path-stalled', 'the path was stalled for too long'));
    return this.suspended ? this.#delivery.received : undefined;
  }

  /** Whether not one record of the other side has ever come. */
  get unheard(): boolean {
    return this.#bytesReceived === 0;
  }

  /**
   * Plaintext of what would be this side's first record if the session were new.
   * @param more - bytes that would follow its hello
   */
  firstRecordLength(more: number = 0): number {
    return this.traffic.paddedLength(messageLength(this.#environment.hello(this)) + more);
  }

  /** Numbered records that were received in all. */
  get delivered(): number {
    return this.#delivery.received;
  }

  /** What proves a resume of this session. @throws MatryoshkaError `session.resume-unknown` for one that ends with its link */
  get suspension(): Suspension {
    if (this.#suspension === undefined) throw new MatryoshkaError('session.resume-unknown');
    return this.#suspension;
  }

  /**
   * The other side has proven a resume over the link in `parts`, which is this session's from now on. Called by the
   * initiator's resumption and by the responder's acceptor, after its answer.
   * @param delivered - numbered records that the other side has received in all
   */
  resumed(parts: EpochParts, delivered: number): void {
    if (this.#state === 'ready') {
      // The responder hears of a broken link last.
      const reason = new MatryoshkaError('session.link-lost', 'the other side goes on over another link');
      this.#lost(reason);
    }
    const epoch = new Epoch(this.#environment, this.role, parts);
    if (!this.suspended) {
      epoch.end(statedReason('closed'));
      return;
    }
    this.#suspension?.end();
    this.#state = 'ready';
    this.#bytesSentBefore += this.#epoch.bytesSent;
    this.#epoch = epoch;
    this.#linkHandler = this.#handlerOf(epoch);
    try {
      this.#outbox.resume(epoch, delivered);
    } catch (error) {
      parts.link.attach(this.#linkHandler);
      this.failed(error);
      return;
    }
    this.#streams.announce();
    this.#liveness.restart();
    this.traffic.start();
    this.#environment.relay.sessionFlowing(this, true);
    this.#environment.onResumed?.(this);
    parts.link.attach(this.#linkHandler);
  }

  /** The session cannot go on: the other side has refused, or time is up. */
  abandoned(reason: MatryoshkaError): void {
    if (this.suspended) this.#end(reason);
    else if (this.#linkStalled) this.close(reason);
  }

  #end(reason: MatryoshkaError): void {
    const undelivered = this.suspended ? this.#outbox.undelivered() : undefined;
    this.#state = 'closed';
    this.#suspension?.over(reason);
    this.#leaveEpoch(reason);
    this.#environment.relay.sessionClosed(this, reason);
    this.#streams.close(reason, undelivered);
    this.#outbox.release();
    this.#environment.onClosed(this, reason);
    this.#resolveClosed(reason);
    this.#resolveGreeted();
  }

  readonly #onAcknowledge = (): void => {
    this.#acknowledgeTimer = undefined;
    if (this.#state === 'ready' && this.#delivery.due !== 'no') this.#outbox.acknowledge();
  };
}

/** What a session is lost with whose link closed. */
function linkLost(reason: CloseReason): MatryoshkaError {
  if (reason.code.startsWith('relay.')) return reason;
  return new MatryoshkaError('session.link-lost', `the link under the session broke: ${reason.message}`, { cause: reason });
}
