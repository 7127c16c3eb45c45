import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectOptions, type Connection, type MatryoshkaNode, type NodeOptions, type Stream, createNode } from '@matryoshka/node';
import { tcp } from '@matryoshka/transport/tcp';
import { serveRole } from '../processes/role.ts';
import { Confirmation, type SourceCommands, type Transfer, WRITE_LENGTH, encodeConfirmation } from './protocol.ts';

// A node of ours: originator, relay or destination.

const PROTOCOL = '/bench/bulk/1';
const GREETING_TIMEOUT_MS = 5000;

/** What the role answers to. */
export interface NodePeerCommands extends SourceCommands {
  /** Starts the node on `host`, dialling from there too; returns where it is, as `peerId@host:port`. */
  start(host: string, options: Partial<NodeOptions>): Promise<string>;
  /** Connects to a neighbour that relays. */
  connect(address: string): Promise<void>;
  /** Opens the connection that `transfer` sends on; returns its kind. */
  open(destination: string, options: ConnectOptions): Promise<string>;
  /** Bytes that this node forwarded from previous to next hops, over all relay links. */
  forwardedBytes(): number;
}

let node: MatryoshkaNode | undefined;
let connection: Connection | undefined;

function started(): MatryoshkaNode {
  if (node === undefined) throw new Error('not started');
  return node;
}

serveRole<NodePeerCommands>({
  async start(host, options) {
    node = await createNode({ ...options, transports: [tcp({ localAddress: host })], listen: [`${host}:0`] });
    node.serve(PROTOCOL, receive);
    return `${node.peerId}@${host}:${node.listening[0]?.port}`;
  },
  async connect(address) {
    const neighbour = await started().connect(address);
    // It is no candidate for a next hop before it has said that it relays.
    const deadline = performance.now() + GREETING_TIMEOUT_MS;
    while (neighbour.relaying !== true) {
      if (performance.now() > deadline) throw new Error(`${address} does not say that it relays`);
      // oxlint-disable-next-line no-await-in-loop
      await delay(5);
    }
  },
  async open(destination, options) {
    connection = await started().connect(destination, options);
    return connection.kind;
  },
  forwardedBytes() {
    return started()
      .status()
      .relayLinks.reduce((sum, { bytesForward }) => sum + bytesForward, 0);
  },
  async transfer(durationMs) {
    if (connection === undefined) throw new Error('no connection to send on');
    return send(await connection.openStream(PROTOCOL), durationMs);
  },
});

function receive(stream: Stream): void {
  let bytes = 0;
  stream.attach({
    data: (chunk) => (bytes += chunk.length),
    end: () => {
      stream.write(encodeConfirmation(bytes));
      stream.end();
    },
  });
}

function send(stream: Stream, durationMs: number): Promise<Transfer> {
  const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
  const buffer = new Uint8Array(WRITE_LENGTH);
  const confirmation = new Confirmation();
  let bytes = 0;
  const begunAt = performance.now();
  const deadline = begunAt + durationMs;
  const pump = (): void => {
    while (performance.now() < deadline) {
      bytes += WRITE_LENGTH;
      if (!stream.write(buffer)) return;
    }
    stream.end();
  };
  stream.attach({
    data: (chunk) => confirmation.add(chunk),
    writable: pump,
    closed: (error) => {
      const seconds = (performance.now() - begunAt) / 1000;
      try {
        if (error !== undefined) throw error;
        confirmation.check(bytes);
        resolve({ bytes, seconds });
      } catch (failure) {
        reject(failure);
      }
    },
  });
  pump();
  return promise;
}
