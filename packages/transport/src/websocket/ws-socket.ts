import type { Socket } from 'node:net';
import { MatryoshkaError } from '@matryoshka/wire';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { MAX_MESSAGE_LENGTH, UNSENT_LIMIT_BYTES } from '../link.ts';
import { systemReason } from '../tcp/socket-endpoint.ts';
import type { MessageSocket, MessageSocketEvents } from './message-socket.ts';
import {
  CLOSE_ABNORMAL,
  CLOSE_NORMAL,
  CLOSE_POLICY,
  CLOSE_UNSUPPORTED_DATA,
  lengthFault,
  onePiece,
  protocolFault,
  remoteClosed,
} from './websocket-protocol.ts';

type Limits = Pick<ClientOptions, 'maxPayload' | 'maxFragments' | 'maxBufferedChunks' | 'skipUTF8Validation'> & {
  readonly perMessageDeflate: false;
};

/** How every WebSocket here is read, on either side: all bounds act on what is announced, before it is waited for. */
export const WS_LIMITS: Limits = {
  maxPayload: MAX_MESSAGE_LENGTH,
  /** Browsers cut messages where their own buffers end. */
  maxFragments: 256,
  /** Pieces in which one message may arrive: each costs far more than its bytes. */
  maxBufferedChunks: 1024,
  perMessageDeflate: false,
  // Text is refused whatever it says.
  skipUTF8Validation: true,
};

const BINARY = { binary: true, compress: false } as const;
const TOO_LONG: ReadonlySet<unknown> = new Set(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH']);

/** Sends handed to the socket in one go. */
interface Batch {
  readonly sends: number;
  readonly bytes: number;
}

/** A WebSocket of `ws`. What is sent within one tick goes out in one system call. */
export class WsSocket implements MessageSocket {
  readonly stopsSender = true;
  readonly #socket: WebSocket;
  readonly #carrier: Socket;
  #events: MessageSocketEvents | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  readonly #batches: Batch[] = [];
  #unsentBytes = 0;
  #written = 0;
  #blocked = false;
  #closing = false;
  #ended = false;
  #carrierError: Error | undefined;

  /** @param carrier - what an open `socket` runs over */
  constructor(socket: WebSocket, carrier: Socket) {
    this.#socket = socket;
    this.#carrier = carrier;
    carrier.on('error', (error) => (this.#carrierError = error));
    socket
      .on('message', (data, isBinary) => this.#receive(data, isBinary))
      .on('error', (error) => this.#end(faultOf(error)))
      .on('close', (code) => this.#end(this.#closeReason(code)));
  }

  get written(): number {
    return this.#written;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  attach(events: MessageSocketEvents): void {
    this.#events = events;
  }

  send(parts: readonly Uint8Array[], length: number): boolean {
    this.#queue.push(onePiece(parts, length));
    this.#queuedBytes += length;
    this.#unsentBytes += length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flush);
    }
    if (this.#unsentBytes < UNSENT_LIMIT_BYTES) return true;
    this.#blocked = true;
    return false;
  }

  takeWritable(): boolean {
    if (!this.#blocked || this.#unsentBytes >= UNSENT_LIMIT_BYTES / 2) return false;
    this.#blocked = false;
    return true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#flush();
    this.#closeIfFlushed();
  }

  destroy(): void {
    this.#socket.terminate();
  }

  /** Ends it for what the other side did, which is told so. */
  refuse(fault: MatryoshkaError, code: number): void {
    this.#socket.close(code);
    this.#end(fault);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const queue = this.#queue;
    if (queue.length === 0 || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#batches.push({ sends: queue.length, bytes: this.#queuedBytes });
    this.#queue = [];
    this.#queuedBytes = 0;
    const last = queue.pop() as Uint8Array;
    this.#carrier.cork();
    for (const message of queue) this.#socket.send(message, BINARY);
    this.#socket.send(last, BINARY, this.#batchWritten);
    this.#carrier.uncork();
  };

  readonly #batchWritten = (error?: Error | null): void => {
    // What failed is reported by the socket itself.
    if (error) return;
    const batch = this.#batches.shift() as Batch;
    this.#written += batch.sends;
    this.#unsentBytes -= batch.bytes;
    this.#events?.progressed();
    if (this.#closing) this.#closeIfFlushed();
  };

  /** Only now, for `ws` gives a connection that it closes no longer than 30 s, however much still flows. */
  #closeIfFlushed(): void {
    if (this.#batches.length > 0 || this.#ended) return;
    this.#socket.close(CLOSE_NORMAL);
    this.#events?.flushed();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#ended) return;
    // Of the type that was asked for, which is the default.
    const { buffer, byteOffset, length } = data as Buffer;
    if (!isBinary) this.refuse(protocolFault('the other side sent text'), CLOSE_UNSUPPORTED_DATA);
    else if (length === 0) this.refuse(lengthFault('a message of no bytes'), CLOSE_POLICY);
    // A plain array: the slice() of Node's own type does not copy, and whoever gets a message relies on one that does.
    else this.#events?.message(new Uint8Array(buffer, byteOffset, length));
  }

  #closeReason(code: number): MatryoshkaError {
    if (code !== CLOSE_ABNORMAL || this.#carrierError === undefined) return remoteClosed(code);
    return new MatryoshkaError('transport.closed', `the connection broke: ${systemReason(this.#carrierError)}`, {
      cause: this.#carrierError,
    });
  }

  #end(reason: MatryoshkaError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events?.ended(reason);
  }
}

/** What `ws` refuses, it has closed with the status code that RFC 6455 §7.4.1 has for it. */
function faultOf(error: Error & { readonly code?: unknown }): MatryoshkaError {
  return TOO_LONG.has(error.code) ? lengthFault(error.message, error) : protocolFault(error.message, error);
}
