import { randomBytes, randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectOptions, Connection, MatryoshkaNode } from '@matryoshka/node';
import { duplex } from '@matryoshka/node/duplex';
import { SERVICE_PROTOCOL, encodeText } from '../../services/protocol.ts';
import { takeBytes } from '../../services/take-bytes.ts';
import { DemoError } from '../demo-error.ts';
import { ECHO } from './staying-nodes.ts';

const CONNECT_TIMEOUT_MS = 20_000;
/** Pause before a connection that ended is made anew, in milliseconds. */
const RETRY_MS = 1_000;
const MESSAGE_INTERVAL_MS = 500;
const [MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES] = [64, 1_024] as const;
const [MIN_TRANSFER_INTERVAL_MS, MAX_TRANSFER_INTERVAL_MS] = [3_000, 8_000] as const;
const [MIN_TRANSFER_BYTES, MAX_TRANSFER_BYTES] = [16 * 1024, 128 * 1024] as const;

export interface TrafficParts {
  /** The node as it is now. @throws where there is none */
  readonly node: () => MatryoshkaNode;
  /** As `connect` takes it. */
  readonly to: string;
  readonly options: ConnectOptions;
  readonly onConnected: (connection: Connection) => void;
  /** A message has come back. */
  readonly onMessage: () => void;
  /** The connection is over, or was not made; it is tried again. */
  readonly onLost: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Messages and small transfers to the echo of a peer, all over one connection, which is made again when it ends. */
export async function runTraffic(parts: TrafficParts): Promise<void> {
  const { node, to, options, onConnected, onLost, signal } = parts;
  while (!signal.aborted) {
    try {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
      // Each attempt follows from how the one before it ended.
      // oxlint-disable-next-line no-await-in-loop
      await using connection = await node().connect(to, { ...options, signal: inTime });
      onConnected(connection);
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([exchangeMessages(connection, parts), exchangeBytes(connection, signal)]);
    } catch (error) {
      if (signal.aborted) return;
      onLost(error);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** One message at a time, there and back, until the connection ends. */
async function exchangeMessages(connection: Connection, { onMessage, signal }: TrafficParts): Promise<never> {
  const stream = await openEcho(connection, signal);
  const take = takeBytes(stream);
  for (;;) {
    const message = randomBytes(randomInt(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES));
    stream.write(message);
    // A conversation: each message waits for the one before it.
    // oxlint-disable-next-line no-await-in-loop
    if (!message.equals(await take(message.length))) throw new DemoError('a message came back as another one');
    onMessage();
    // oxlint-disable-next-line no-await-in-loop
    await sleep(MESSAGE_INTERVAL_MS, undefined, { signal });
  }
}

/** Every few seconds some bytes on a stream of their own, there and back, until the connection ends. */
async function exchangeBytes(connection: Connection, signal: AbortSignal): Promise<never> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    await sleep(randomInt(MIN_TRANSFER_INTERVAL_MS, MAX_TRANSFER_INTERVAL_MS), undefined, { signal });
    // oxlint-disable-next-line no-await-in-loop
    const stream = await openEcho(connection, signal);
    const length = randomInt(MIN_TRANSFER_BYTES, MAX_TRANSFER_BYTES);
    stream.end(randomBytes(length));
    let received = 0;
    // oxlint-disable-next-line no-await-in-loop
    for await (const piece of stream as AsyncIterable<Uint8Array>) received += piece.length;
    if (received !== length) throw new DemoError(`of a transfer of ${length} bytes ${received} came back`);
  }
}

async function openEcho(connection: Connection, signal: AbortSignal): Promise<Duplex> {
  const stream = duplex(await connection.openStream(SERVICE_PROTOCOL, { signal }));
  // Whoever reads next hears of it; without a listener it would end the process.
  stream.on('error', () => {});
  stream.write(encodeText(ECHO));
  await takeBytes(stream)(1);
  return stream;
}
