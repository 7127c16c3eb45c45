import type { MatryoshkaError } from '@matryoshka/wire';
import type { Clock, Timer } from '../clock.ts';
import { MAX_MESSAGE_LENGTH, UNSENT_LIMIT_BYTES } from '../link.ts';
import type { MessageSocket, MessageSocketEvents } from './message-socket.ts';
import { lengthFault, onePiece, protocolFault, remoteClosed } from './websocket-protocol.ts';

/** How often a socket that has too much to write is asked, in milliseconds: the platform does not say when it is less. */
const FIRST_POLL_MS = 1;
const LONGEST_POLL_MS = 16;

/**
 * The platform's WebSocket (https://websockets.spec.whatwg.org). It copies what it sends at once, so that every send is
 * written when it was made; it cannot be paused, and bounds no message before it is here.
 */
export class PlatformSocket implements MessageSocket {
  readonly stopsSender = false;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #events: MessageSocketEvents | undefined;
  #written = 0;
  #blocked = false;
  #announced = false;
  #pollTimer: Timer | undefined;
  #pollMs = FIRST_POLL_MS;
  #closing = false;
  #ended = false;

  /** @param socket - open, with `binaryType` `arraybuffer` */
  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.onmessage = ({ data }: MessageEvent<unknown>): void => this.#receive(data);
    socket.onclose = ({ code }): void => this.#end(remoteClosed(code));
    // What it says is said again, and better, by the close that follows.
    socket.onerror = null;
  }

  get written(): number {
    return this.#written;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  attach(events: MessageSocketEvents): void {
    this.#events = events;
  }

  send(parts: readonly Uint8Array[], length: number): boolean {
    this.#socket.send(onePiece(parts, length) as Uint8Array<ArrayBuffer>);
    this.#written++;
    if (!this.#announced) {
      this.#announced = true;
      this.#clock.soon(this.#announce);
    }
    if (this.unsentBytes < UNSENT_LIMIT_BYTES) return true;
    this.#blocked = true;
    this.#poll();
    return false;
  }

  takeWritable(): boolean {
    if (!this.#blocked || this.unsentBytes >= UNSENT_LIMIT_BYTES / 2) return false;
    this.#blocked = false;
    this.#pollMs = FIRST_POLL_MS;
    return true;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.close();
    this.#pollMs = FIRST_POLL_MS;
    this.#poll();
  }

  destroy(): void {
    this.#pollTimer?.cancel();
    this.#socket.close();
  }

  readonly #announce = (): void => {
    this.#announced = false;
    this.#events?.progressed();
  };

  /** One timer per socket, and only while it has too much to write. */
  #poll(): void {
    this.#pollTimer ??= this.#clock.after(this.#pollMs, this.#polled);
  }

  readonly #polled = (): void => {
    this.#pollTimer = undefined;
    if (this.#ended) return;
    this.#pollMs = Math.min(2 * this.#pollMs, LONGEST_POLL_MS);
    if (this.#closing && this.unsentBytes === 0) {
      this.#events?.flushed();
      return;
    }
    this.#events?.progressed();
    if (this.#blocked || this.#closing) this.#poll();
  };

  #receive(data: unknown): void {
    if (this.#ended) return;
    if (!(data instanceof ArrayBuffer)) return this.#refuse(protocolFault('the other side sent text'));
    if (data.byteLength === 0 || data.byteLength > MAX_MESSAGE_LENGTH)
      return this.#refuse(lengthFault(`a message of ${data.byteLength} bytes`));
    this.#events?.message(new Uint8Array(data));
    // Pages in the background get their timers late, but not their messages.
    if (this.#blocked) this.#events?.progressed();
  }

  #refuse(fault: MatryoshkaError): void {
    this.#socket.close();
    this.#end(fault);
  }

  #end(reason: MatryoshkaError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pollTimer?.cancel();
    this.#events?.ended(reason);
  }
}
