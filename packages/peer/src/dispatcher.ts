import type { Delivery } from '@matryoshka/session';
import {
  type Goodbye,
  type Hello,
  type KeyUpdate,
  MatryoshkaError,
  type Message,
  MessageType,
  Reader,
  decodeBody,
  isNumbered,
} from '@matryoshka/wire';
import type { RelayMessage } from './environment.ts';
import type { Liveness } from './liveness.ts';
import type { Outbox } from './outbox.ts';
import type { StreamTable } from './stream-table.ts';
import { PartAssembly } from './traffic/part-assembly.ts';

/** What the messages of the other side act on, beside the session itself. */
export interface DispatchParts {
  readonly delivery: Delivery;
  readonly outbox: Outbox;
  readonly streams: StreamTable;
  readonly liveness: Liveness;
}

/** What a session does on those that are about itself. */
export interface DispatchHost {
  /** Whether the session is open: after its end nothing is handled any more. */
  isOpen(): boolean;
  hello(message: Hello): void;
  goodbye(message: Goodbye): void;
  keyUpdate(message: KeyUpdate): void;
  /** The other side asks for records of one length; 0: of any. */
  shape(recordLength: number): void;
  /** The hot one: `bytes` is a view that is valid during the call and may be overwritten. */
  relayData(portHigh: number, portLow: number, flags: number, bytes: Uint8Array): void;
  relay(message: RelayMessage): void;
}

/** Reads the messages of each record and hands each to who it is for (docs/protocol.md §6). */
export class Dispatcher {
  readonly #host: DispatchHost;
  readonly #parts: DispatchParts;
  readonly #reader = new Reader();
  readonly #parted = new PartAssembly();
  readonly #partReader = new Reader();
  #greeted = false;

  constructor(host: DispatchHost, parts: DispatchParts) {
    this.#host = host;
    this.#parts = parts;
  }

  /**
   * Handles the messages of one record; returns whether it is counted.
   * @throws MatryoshkaError for what the other side must not send, which ends the session
   */
  dispatch(plaintext: Uint8Array): boolean {
    const reader = this.#reader.reset(plaintext, 0, plaintext.length);
    let numbered = false;
    while (reader.remaining > 0 && this.#host.isOpen()) {
      const at = reader.offset;
      const type = reader.u8();
      if (type === MessageType.padding) break;
      const bodyLength = reader.u16();
      if (isNumbered(type)) {
        numbered = true;
        if (type === MessageType.part) {
          this.#part(reader.bytes(bodyLength));
          continue;
        }
        if (this.#parted.assembling && type !== MessageType.goodbye)
          throw new MatryoshkaError('session.unexpected', 'a message before the rest of another one');
      }
      const after = reader.offset + bodyLength;
      if (type === MessageType.keyUpdate && (at > 0 || (plaintext[after] ?? MessageType.padding) !== MessageType.padding))
        throw new MatryoshkaError('session.unexpected', 'a key update is alone in its record');
      this.#message(reader, type, bodyLength, at);
    }
    return numbered;
  }

  /** A message that is cut is handled once all of it is there (docs/protocol.md §4.5). */
  #part(bytes: Uint8Array): void {
    const whole = this.#parted.add(bytes);
    if (whole === undefined) return;
    const reader = this.#partReader.reset(whole);
    this.#message(reader, reader.u8(), reader.u16(), 0);
  }

  /** Handles the message whose body of so many bytes comes next. */
  #message(reader: Reader, type: number, bodyLength: number, at: number): void {
    if (!this.#greeted && isNumbered(type) && type !== MessageType.hello && type !== MessageType.goodbye)
      throw new MatryoshkaError('session.unexpected', 'hello must come first');
    // The two data messages are read in place: they are nearly all there is.
    if (type === MessageType.streamData && bodyLength >= 4) this.#parts.streams.data(reader.u32(), reader.bytes(bodyLength - 4));
    else if (type === MessageType.relayData && bodyLength >= 9)
      this.#host.relayData(reader.u32(), reader.u32(), reader.u8(), reader.bytes(bodyLength - 9));
    else {
      const message = decodeBody(type, reader.bytes(bodyLength), at);
      if (message !== undefined) this.#handle(message);
    }
  }

  #handle(message: Message): void {
    const { delivery, liveness, outbox, streams } = this.#parts;
    switch (message.type) {
      case 'acknowledge':
        delivery.acknowledge(message.delivered);
        outbox.flushSoon();
        break;
      case 'hello':
        this.#greeted = true;
        this.#host.hello(message);
        break;
      case 'goodbye':
        this.#host.goodbye(message);
        break;
      case 'ping':
        outbox.control({ type: 'pong', token: message.token.slice() });
        break;
      case 'pong':
        liveness.answered();
        break;
      case 'stream-open':
        streams.opened(message);
        break;
      case 'stream-data':
        throw new MatryoshkaError('wire.truncated');
      case 'stream-credit':
        streams.credit(message.streamId, message.total);
        break;
      case 'stream-end':
        streams.end(message.streamId);
        break;
      case 'stream-reset':
        streams.reset(message.streamId, message.reason);
        break;
      case 'shape':
        this.#host.shape(message.recordLength);
        break;
      case 'cover':
        break;
      case 'key-update':
        this.#host.keyUpdate(message);
        break;
      case 'part':
      case 'session-new':
      case 'session-resume':
      case 'resumed':
      case 'resume-refused':
        throw new MatryoshkaError('session.unexpected', `${message.type} is not allowed now`);
      case 'relay-create':
      case 'relay-status':
      case 'relay-data':
      case 'relay-credit':
      case 'relay-credit-return':
      case 'relay-close':
      case 'relay-register':
      case 'relay-meet':
        this.#host.relay(message);
        break;
      default:
        message satisfies never;
    }
  }
}
