import { type ConnectOptions, type MatryoshkaNode, connectionStatus } from '@matryoshka/node';
import type { ServerEvent } from '../control/route.ts';
import type { NamedEvent } from '../events.ts';
import { FILE_PROTOCOL } from '../file/file-message.ts';
import { sendFile } from '../file/send-file.ts';
import { StreamedFile } from './streamed-file.ts';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 200;

export interface SendRequest {
  readonly to: string;
  /** What the receiver is told. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
  /** How to connect; what is undefined is left out. */
  readonly options: { readonly [Name in keyof Omit<ConnectOptions, 'signal'>]: ConnectOptions[Name] | undefined };
  readonly signal: AbortSignal;
}

/** Sends a file for somebody who hears how it gets on. A connection that was made for it is closed after it. */
export async function* sendFor(node: MatryoshkaNode, request: SendRequest): AsyncGenerator<ServerEvent, void> {
  const { to, name, size, content, signal } = request;
  const options = Object.fromEntries(Object.entries(request.options).filter(([, value]) => value !== undefined)) as ConnectOptions;
  const before = new Set(node.connections.map(({ id }) => id));
  const startedMs = performance.now();
  yield told({
    event: 'connecting',
    destination: to,
    ...(typeof options.hops === 'number' && { hops: options.hops }),
    ...(request.options.path !== undefined && { path: request.options.path as readonly string[] }),
    peers: node.connections.map(({ peerId }) => peerId).filter((peerId) => peerId !== undefined),
  });
  const connection = await node.connect(to, { ...options, signal });
  try {
    const connectSeconds = (performance.now() - startedMs) / 1000;
    yield told({ event: 'connected', connection: connectionStatus(connection), seconds: connectSeconds });
    const stream = await connection.openStream(FILE_PROTOCOL, { signal });
    const progress = { bytes: 0 };
    const sending = sendFile(stream, new StreamedFile(name, size, content), { signal, onProgress: (bytes) => (progress.bytes = bytes) });
    // What goes wrong is heard below.
    sending.catch(() => {});
    yield* progressUntil(sending, progress, size);
    const { sha256, storedAs, seconds } = await sending;
    yield told({ event: 'sent', file: name, storedAs, size, sha256: Buffer.from(sha256).toString('hex'), seconds, connectSeconds });
  } finally {
    if (!before.has(connection.id)) await connection.close();
  }
}

async function* progressUntil(
  done: Promise<unknown>,
  progress: { readonly bytes: number },
  size: number,
): AsyncGenerator<ServerEvent, void> {
  const ended = done.then(
    () => true,
    () => true,
  );
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), PROGRESS_INTERVAL_MS)));
    // oxlint-disable-next-line no-await-in-loop
    const over = await Promise.race([ended, pause]);
    clearTimeout(timer);
    if (over) return;
    yield told({ event: 'progress', bytes: progress.bytes, size });
  }
}

function told(event: NamedEvent): ServerEvent {
  return { event: event.event, data: { ...event, at: performance.timeOrigin + performance.now() } };
}
