import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { MatryoshkaError, type ReasonCode, type Stream } from '@matryoshka/node';
import { duplex } from '@matryoshka/node/duplex';
import { CONNECTED } from './protocol.ts';
import { splice } from './splice.ts';
import { takeBytes } from './take-bytes.ts';

/** How long a request may take to come, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long connecting may take, in milliseconds: less than whoever asks waits. */
const CONNECT_TIMEOUT_MS = 20_000;

/** What a far end is told; the stream is reset with it. */
export class Refusal extends MatryoshkaError {
  constructor(code: ReasonCode, message?: string) {
    super(code, message);
  }
}

/** Reads a request of a stream in its time. */
export async function requestOf<T>(stream: Duplex, read: (take: ReturnType<typeof takeBytes>) => Promise<T>): Promise<T> {
  const timer = setTimeout(() => stream.destroy(new MatryoshkaError('session.timeout', 'no request came')), REQUEST_TIMEOUT_MS);
  try {
    return await read(takeBytes(stream));
  } finally {
    clearTimeout(timer);
  }
}

/** Connects to an address. @throws Refusal `transport.dial-failed` */
export async function dialTarget(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, autoSelectFamily: true });
  const stop = (): void => void socket.destroy(new Refusal('shutdown'));
  const timer = setTimeout(() => socket.destroy(new Refusal('transport.dial-failed', 'it took too long')), CONNECT_TIMEOUT_MS);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  } catch (error) {
    socket.on('error', () => {}).destroy();
    throw error instanceof Refusal ? error : new Refusal('transport.dial-failed', (error as Error).message);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Answers a stream: connects it with what `reach` finds for its request, and carries bytes until both sides have ended.
 * Where it throws the stream is reset with the error's code.
 * @returns when all is over; never rejects
 */
export async function serveStream(stream: Stream, signal: AbortSignal, reach: (far: Duplex) => Promise<Socket>): Promise<void> {
  const far = duplex(stream);
  far.on('error', () => {});
  const stop = (): void => void far.destroy(new MatryoshkaError('shutdown'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const socket = await reach(far);
    socket.on('error', () => {});
    far.write(Uint8Array.of(CONNECTED));
    await splice(far, socket);
  } catch (error) {
    far.destroy(error as Error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
