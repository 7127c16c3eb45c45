import { ACKNOWLEDGE_AFTER_MS, Delivery, type RecordKeys, RecordWriter, type RemoteIdentity, randomBytes } from '@matryoshka/session';
import type { CloseReason, Link, LinkHandler, Timer } from '@matryoshka/transport';
import {
  type Endpoint,
  type Hello,
  MatryoshkaError,
  type Message,
  MessageType,
  PING_LENGTH,
  Reader,
  asMatryoshkaError,
  decodeBody,
  isNumbered,
} from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';
import { Liveness } from './liveness.ts';
import { Outbox, type OutboxHost } from './outbox.ts';
import type { Stream } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/** What a session is made of once its handshake is done. */
export interface SessionParts {
  readonly role: 'initiator' | 'responder';
  readonly remote: RemoteIdentity;
  readonly link: Link;
  readonly sendKeys: RecordKeys;
  readonly receiveKeys: RecordKeys;
  /** The endpoint this node dialled to get here, if it did (R9). */
  readonly dialled?: Endpoint;
  /** Whether this side showed its identity. */
  readonly anonymous: boolean;
  /** Sends the handshake made on the link. */
  readonly sends: number;
}

/**
 * A session over its link: seals, opens and dispatches messages, runs streams, and tells its environment what happens.
 *
 * | state | on | next |
 * |---|---|---|
 * | `ready` | `close()`; a fault of the other side | `closing` |
 * | `closing` | what may still go out and the goodbye are sent | link closes, `closed` |
 * | `ready` | goodbye from the other side | link closes, `closed` |
 * | `ready` | the link closes | `closed` with `session.link-lost` or what the link says |
 * | `closed` | anything | nothing |
 */
export class Session implements OutboxHost {
  /** Names the session within this node; never travels. */
  readonly id: string;
  readonly role: 'initiator' | 'responder';
  /** Who is at the other end, proven by the handshake. */
  readonly remote: RemoteIdentity;
  readonly link: Link;
  readonly dialled: Endpoint | undefined;
  /** Whether this side showed its identity. */
  readonly anonymous: boolean;
  readonly openedAtMs: number;
  /** Resolves with the reason when the session is over; never rejects. */
  readonly closed: Promise<MatryoshkaError>;
  /** Resolves when the other side's hello has come, or the session is over. */
  readonly greeted: Promise<void>;

  readonly #environment: SessionEnvironment;
  readonly #receiveKeys: RecordKeys;
  readonly #sendKeys: RecordKeys;
  readonly #delivery = new Delivery();
  readonly #outbox: Outbox;
  readonly #streams: StreamTable;
  readonly #liveness: Liveness;
  readonly #reader = new Reader();
  #resolveClosed!: (reason: MatryoshkaError) => void;
  #resolveGreeted!: () => void;
  #state: 'ready' | 'closing' | 'closed' = 'ready';
  #hello: Hello | undefined;
  #acknowledgeTimer: Timer | undefined;
  #bytesReceived = 0;

  constructor(environment: SessionEnvironment, parts: SessionParts) {
    this.#environment = environment;
    this.id = environment.nextSessionId();
    this.role = parts.role;
    this.remote = parts.remote;
    this.link = parts.link;
    this.dialled = parts.dialled;
    this.anonymous = parts.anonymous;
    this.#sendKeys = parts.sendKeys;
    this.#receiveKeys = parts.receiveKeys;
    this.openedAtMs = environment.clock.now();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.greeted = new Promise((resolve) => {
      this.#resolveGreeted = resolve;
    });
    this.#outbox = new Outbox(this, environment.clock, new RecordWriter(environment.slabs), this.#delivery, parts);
    this.#streams = new StreamTable(
      parts.role,
      this.#outbox,
      (protocol) => environment.protocols.find(protocol),
      (handler, stream) => handler(stream, this),
    );
    this.#liveness = new Liveness(environment.clock, {
      probe: () => this.#outbox.control({ type: 'ping', token: randomBytes(environment.random, PING_LENGTH) }),
      dead: () => this.close(new MatryoshkaError('session.path-stalled')),
    });
    this.#outbox.control(environment.hello(this));
  }

  /** The owner of the session's link. */
  readonly linkHandler: LinkHandler = {
    message: (bytes) => this.#record(bytes),
    written: (sends) => this.#outbox.written(sends),
    writable: () => this.#outbox.writable(),
    stalled: () => {},
    flowing: () => {},
    closed: (reason) => this.#linkClosed(reason),
  };

  /** Where streams, control messages and relay links send from. */
  get outbox(): Outbox {
    return this.#outbox;
  }

  /** Whether the session is open. */
  get sending(): boolean {
    return this.#state !== 'closed';
  }

  /** The other side's newest hello, once it has come. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** Bytes of all records that came, those of the handshake not counted. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** The open streams of both sides. */
  get streams(): Iterable<Stream> {
    return this.#streams;
  }

  /** Round-trip time of the last liveness probe in milliseconds, once there was one. */
  get roundTripMs(): number | undefined {
    return this.#liveness.roundTripMs;
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
    if (this.#state === 'ready') this.#outbox.control(message);
  }

  /** Says goodbye with a reason and closes. What streams have not sent is lost. Idempotent. */
  close(reason: CloseReason = new MatryoshkaError('closed')): void {
    this.#close(reason, true);
  }

  #close(reason: CloseReason, orderly: boolean): void {
    if (this.#state !== 'ready') return;
    this.#state = 'closing';
    this.#outbox.finish({ type: 'goodbye', reason: reason.code }, orderly);
    this.#end(reason);
  }

  #record(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    let length: number;
    try {
      length = this.#receiveKeys.open(bytes, bytes);
    } catch (error) {
      // A record that fails ends the link without a word: who sent it may be anyone (docs/protocol.md §2).
      this.#end(asMatryoshkaError(error, 'session.record-failed'));
      return;
    }
    this.#bytesReceived += bytes.length;
    this.#liveness.heard();
    try {
      if (this.#dispatch(bytes, length)) this.#delivery.receive(bytes.length);
    } catch (error) {
      this.failed(error);
      return;
    }
    if (!this.sending) return;
    if (this.#delivery.due === 'now') this.#outbox.acknowledge();
    else if (this.#delivery.due === 'later')
      this.#acknowledgeTimer ??= this.#environment.clock.after(ACKNOWLEDGE_AFTER_MS, this.#onAcknowledge);
  }

  /** What the other side sent is not allowed, or sending failed: says why and closes. */
  failed(error: unknown): void {
    this.#close(asMatryoshkaError(error, 'bug'), false);
  }

  #linkClosed(reason: CloseReason): void {
    if (this.#state !== 'closed') {
      this.#end(
        reason.code.startsWith('relay.')
          ? reason
          : new MatryoshkaError('session.link-lost', `the link under the session broke: ${reason.message}`, { cause: reason }),
      );
    }
    this.#outbox.release();
  }

  #end(reason: MatryoshkaError): void {
    this.#state = 'closed';
    this.#liveness.stop();
    this.#acknowledgeTimer?.cancel();
    // Records that were sent stay with the link until it has closed.
    this.link.close(reason);
    this.#sendKeys.wipe();
    this.#receiveKeys.wipe();
    this.#environment.relay.sessionClosed(this, reason);
    this.#streams.close(reason);
    this.#environment.onClosed(this, reason);
    this.#resolveClosed(reason);
    this.#resolveGreeted();
  }

  readonly #onAcknowledge = (): void => {
    this.#acknowledgeTimer = undefined;
    if (this.#state === 'ready' && this.#delivery.due !== 'no') this.#outbox.acknowledge();
  };

  /** Handles the messages of one record; returns whether it is counted. */
  #dispatch(bytes: Uint8Array, length: number): boolean {
    const reader = this.#reader.reset(bytes, 0, length);
    let numbered = false;
    while (reader.remaining > 0 && this.#state === 'ready') {
      const at = reader.offset;
      const type = reader.u8();
      if (type === MessageType.padding) break;
      const bodyLength = reader.u16();
      if (isNumbered(type)) {
        numbered = true;
        if (this.#hello === undefined && type !== MessageType.hello && type !== MessageType.goodbye)
          throw new MatryoshkaError('session.unexpected', 'hello must come first');
      }
      // The two data messages are read in place: they are nearly all there is.
      if (type === MessageType.streamData && bodyLength >= 4) this.#streams.data(reader.u32(), reader.bytes(bodyLength - 4));
      else if (type === MessageType.relayData && bodyLength >= 9) {
        this.#environment.relay.data(this, reader.u32(), reader.u32(), reader.u8(), reader.bytes(bodyLength - 9));
      } else {
        const message = decodeBody(type, reader.bytes(bodyLength), at);
        if (message !== undefined) this.#handle(message);
      }
    }
    return numbered;
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'acknowledge':
        this.#delivery.acknowledge(message.delivered);
        this.#outbox.flushSoon();
        break;
      case 'hello':
        this.#hello = message;
        this.#environment.onHello(this, message);
        this.#resolveGreeted();
        break;
      case 'goodbye':
        this.#end(new MatryoshkaError(message.reason));
        break;
      case 'ping':
        this.#outbox.control({ type: 'pong', token: message.token.slice() });
        break;
      case 'pong':
        this.#liveness.answered();
        break;
      case 'stream-open':
        this.#streams.opened(message);
        break;
      case 'stream-data':
        throw new MatryoshkaError('wire.truncated');
      case 'stream-credit':
        this.#streams.credit(message.streamId, message.total);
        break;
      case 'stream-end':
        this.#streams.end(message.streamId);
        break;
      case 'stream-reset':
        this.#streams.reset(message.streamId, message.reason);
        break;
      case 'cover':
        break;
      case 'session-new':
      case 'session-resume':
      case 'resumed':
      case 'resume-refused':
      case 'key-update':
        throw new MatryoshkaError('session.unexpected', `${message.type} is not allowed now`);
      case 'relay-create':
      case 'relay-status':
      case 'relay-data':
      case 'relay-credit':
      case 'relay-credit-return':
      case 'relay-close':
      case 'relay-register':
      case 'relay-meet':
        this.#environment.relay.message(this, message);
        break;
      default:
        message satisfies never;
    }
  }
}
