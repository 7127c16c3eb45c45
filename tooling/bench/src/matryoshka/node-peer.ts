import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConnectOptions,
  type Connection,
  type Endpoint,
  type MatryoshkaNode,
  type NodeOptions,
  createNode,
  formatEndpoint,
  formatStaticKey,
} from '@matryoshka/node';
import { tcp } from '@matryoshka/transport/tcp';
import { type Builds, measureBuilds } from '../build/builds.ts';
import { serveChannel } from '../channel/receiver.ts';
import { type SourceCommands, sourceCommands } from '../channel/sender.ts';
import { type MemoryInUse, memoryInUse } from '../links/memory-in-use.ts';
import { serveRole } from '../processes/role.ts';

// A node of ours: originator, relay or destination.

const PROTOCOL = '/bench/1';
/** Until a neighbour has said what it does, and given its descriptors. */
const GREETING_TIMEOUT_MS = 5000;
const LOOK_INTERVAL_MS = 5;

/** Options of a node as they go from process to process. */
export interface NodePlan extends Partial<Omit<NodeOptions, 'identity'>> {
  /** Seed of its identity, in hex. */
  readonly identity?: string;
}

/** What the role answers to. */
export interface NodePeerCommands extends SourceCommands {
  /** Starts the node on `host`, dialling from there too; returns where it is, as `peerId@host:port`. */
  start(host: string, plan: NodePlan): Promise<string>;
  /** The same with its static key, as a descriptor tells it: `peerId+staticKey@host:port`. */
  keyedAddress(): string;
  /** Connects to a neighbour that relays. */
  connect(address: string): Promise<void>;
  /** Waits until it has so many descriptors. */
  descriptors(count: number): Promise<void>;
  /** Opens the connection that data goes over; returns its kind. */
  open(destination: string, options: ConnectOptions): Promise<string>;
  /** Opens so many connections more, which stay. */
  openMore(destination: string, options: ConnectOptions, count: number): Promise<void>;
  /** Builds and closes connections for so long, and so many at least. */
  builds(durationMs: number, destination: string, options: ConnectOptions, parallel: number, minBuilds?: number): Promise<Builds>;
  /** Handshakes that this node has begun and finished. */
  handshakes(): number;
  /** Bytes that this node forwarded, over all relay links and in both directions. */
  carriedBytes(): number;
  /** Relay links that this node forwards. */
  relayLinks(): number;
  /** The port where it listens. */
  port(): number;
  /** How often this node has refused somebody, for whatever reason. */
  refusals(): number;
  /** What it holds after a collection of garbage; needs `--expose-gc`. */
  memory(): MemoryInUse;
}

let node: MatryoshkaNode | undefined;
let connection: Connection | undefined;
let handshakes = 0;

function started(): MatryoshkaNode {
  if (node === undefined) throw new Error('not started');
  return node;
}

/** Waits until it is so. @throws Error with `message` where it takes too long */
async function until(isSo: () => boolean, message: string): Promise<void> {
  const deadline = performance.now() + GREETING_TIMEOUT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(message);
    // oxlint-disable-next-line no-await-in-loop
    await delay(LOOK_INTERVAL_MS);
  }
}

serveRole<NodePeerCommands>({
  ...sourceCommands(() => {
    if (connection === undefined) throw new Error('no connection to open a stream on');
    return connection.openStream(PROTOCOL);
  }),
  async start(host, { identity, ...options }) {
    const seed = identity === undefined ? {} : { identity: Buffer.from(identity, 'hex') };
    node = await createNode({ ...options, ...seed, transports: [tcp({ localAddress: host })], listen: [`${host}:0`] });
    node.serve(PROTOCOL, serveChannel);
    node.on('connection', ({ role }) => {
      // Every handshake has one initiator; of a circuit that is closed at once, not every responder hears the end of it.
      if (role === 'initiator') handshakes++;
    });
    return `${node.peerId}@${host}:${node.listening[0]?.port}`;
  },
  keyedAddress() {
    const { listening, peerId, staticKey } = started();
    return `${peerId}+${formatStaticKey(staticKey)}@${formatEndpoint(listening[0] as Endpoint)}`;
  },
  async connect(address) {
    const neighbour = await started().connect(address);
    // It is no candidate for a next hop before it has said that it relays.
    await until(() => neighbour.relaying === true, `${address} does not say that it relays`);
  },
  descriptors: (count) => until(() => started().directory.list().length >= count, `no ${count} descriptors have come`),
  async open(destination, options) {
    connection = await started().connect(destination, options);
    return connection.kind;
  },
  async openMore(destination, options, count) {
    for (let i = 0; i < count; i++) {
      // One after the other: how fast they open is another measurement.
      // oxlint-disable-next-line no-await-in-loop
      await started().connect(destination, options);
    }
  },
  builds(durationMs, destination, options, parallel, minBuilds) {
    return measureBuilds(
      async () => {
        const built = await started().connect(destination, options);
        return () => built.close();
      },
      durationMs,
      parallel,
      minBuilds,
    );
  },
  handshakes: () => handshakes,
  carriedBytes: () =>
    started()
      .status()
      .relayLinks.reduce((sum, { bytesForward, bytesBackward }) => sum + bytesForward + bytesBackward, 0),
  relayLinks: () => started().status().relayLinks.length,
  port: () => started().listening[0]?.port ?? 0,
  refusals: () => Object.values(started().access().refusals).reduce((sum, count) => sum + count, 0),
  memory: memoryInUse,
});
