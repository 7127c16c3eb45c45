import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectOptions, type Connection, type MatryoshkaNode, type NodeStatus, createNode, formatEndpoint } from '@matryoshka/node';
import { tcp } from '@matryoshka/transport/tcp';
import { emit, serveRole } from '../processes/role.ts';
import { Exchange, type Outcome, type SidePlan } from './exchange.ts';
import type { NodePlan } from './node-plan.ts';

// A node of ours: end of a connection, or relay.

const GREETING_TIMEOUT_MS = 5000;

/** A connection as other processes name it. */
export interface ConnectionName {
  readonly id: string;
  readonly kind: Connection['kind'];
  readonly role: Connection['role'];
}

/** Who a node is, and where it listens, as `peerId@host:port` each. */
export interface Started {
  readonly peerId: string;
  readonly addresses: readonly string[];
}

/** What the role answers to. */
export interface NodeCommands {
  start(plan: NodePlan): Promise<Started>;
  /** Connects to a neighbour that relays. */
  befriend(address: string): Promise<void>;
  connect(destination: string, options: ConnectOptions): Promise<ConnectionName>;
  connections(): readonly ConnectionName[];
  /** How many relays it has descriptors of. */
  knownRelays(): number;
  /** Closes a connection. */
  disconnect(connectionId: string): Promise<void>;
  status(): NodeStatus;
  /** Takes a stream of this name when the other side opens it. */
  accept(name: string, plan: SidePlan): void;
  /** Opens a stream of this name, which the other side accepts. */
  open(name: string, connectionId: string, plan: SidePlan): void;
  /** Once the stream of this name is closed. */
  outcome(name: string): Promise<Outcome>;
  /** Bytes that this node forwarded for others, and the most credit for relaying that was taken of what may be. */
  relayed(): { readonly bytes: number; readonly mostTakenBytes: number; readonly totalBytes: number };
  close(): Promise<void>;
}

/** A connection has its next link; so many bytes had arrived here when it got it. */
export interface ResumedEvent {
  readonly type: 'resumed';
  readonly receivedBytes: number;
}

let node: MatryoshkaNode | undefined;
const exchanges = new Map<string, Exchange>();
let [suspended, resumed] = [0, 0];
let lastEvent = '';
let mostTakenBytes = 0;

function started(): MatryoshkaNode {
  if (node === undefined) throw new Error('not started');
  return node;
}

function connectionOf(connectionId: string): Connection {
  const connection = started().connections.find(({ id }) => id === connectionId);
  if (connection === undefined) throw new RangeError(`no connection ${connectionId}`);
  return connection;
}

function exchange(name: string, plan: SidePlan): Exchange {
  const made = new Exchange(plan);
  exchanges.set(name, made);
  return made;
}

function receivedBytes(): number {
  return [...exchanges.values()].reduce((sum, each) => sum + each.receivedBytes, 0);
}

function longestPauseMs(): number {
  return Math.round(Math.max(0, ...[...exchanges.values()].map((each) => each.longestPauseMs)));
}

function relayMemory(): { readonly mostTakenBytes: number; readonly totalBytes: number } {
  const { takenBytes, totalBytes } = started().status().relayMemory;
  mostTakenBytes = Math.max(mostTakenBytes, takenBytes);
  return { mostTakenBytes, totalBytes };
}

function happened(what: string): void {
  lastEvent = `; ${what} at ${new Date().toISOString()}`;
}

function reportText(): string {
  if (node === undefined) return 'not started';
  const states = node.connections.map(({ kind, state }) => `${kind} ${state}`).join(', ');
  const streams = [...exchanges].map(([name, each]) => `${name}: ${each.text}`).join('; ');
  // Looked at as often as this is told.
  const { mostTakenBytes: most } = relayMemory();
  const relaying = most === 0 ? '' : `; credit for relaying ${most} at most`;
  return `connections: ${states || 'none'}; ${streams || 'no streams'}; suspended ${suspended} times, resumed ${resumed}${relaying}${lastEvent}`;
}

function protocolOf(name: string): string {
  return `/e2e/${name}`;
}

serveRole<NodeCommands>(
  {
    async start({ dialFrom, identity, ...options }) {
      const seed = identity === undefined ? {} : { identity: Buffer.from(identity, 'hex') };
      node = await createNode({ ...options, ...seed, transports: [tcp(dialFrom === undefined ? {} : { localAddress: dialFrom })] });
      node.on('suspended', ({ reason }) => {
        suspended++;
        happened(`suspended with ${reason.code}: ${reason.message}`);
      });
      node.on('resumed', () => {
        resumed++;
        happened('resumed');
        emit({ type: 'resumed', receivedBytes: receivedBytes() } satisfies ResumedEvent);
      });
      node.on('disconnected', ({ connection, reason }) =>
        happened(`a ${connection.kind} connection ended with ${reason.code}: ${reason.message}`),
      );
      const { peerId } = node;
      return { peerId, addresses: node.listening.map((endpoint) => `${peerId}@${formatEndpoint(endpoint)}`) };
    },
    async befriend(address) {
      const neighbour = await started().connect(address);
      // It is no candidate for a next hop before it has said that it relays.
      const deadline = performance.now() + GREETING_TIMEOUT_MS;
      while (neighbour.relaying !== true) {
        if (performance.now() > deadline) throw new Error(`${address} does not say that it relays`);
        // oxlint-disable-next-line no-await-in-loop
        await delay(5);
      }
    },
    async connect(destination, options) {
      const { id, kind, role } = await started().connect(destination, options);
      return { id, kind, role };
    },
    connections: () => started().connections.map(({ id, kind, role }) => ({ id, kind, role })),
    knownRelays: () => started().directory.list().length,
    disconnect: (connectionId) => connectionOf(connectionId).close(),
    status: () => started().status(),
    accept(name, plan) {
      const accepting = exchange(name, plan);
      const stop = started().serve(protocolOf(name), (stream) => {
        stop();
        accepting.start(stream);
      });
    },
    open(name, connectionId, plan) {
      const connection = connectionOf(connectionId);
      const opening = exchange(name, plan);
      connection.openStream(protocolOf(name)).then(
        (stream) => opening.start(stream),
        (error: unknown) => opening.fail(error),
      );
    },
    outcome(name) {
      const found = exchanges.get(name);
      if (found === undefined) throw new RangeError(`no stream ${name}`);
      return found.done;
    },
    relayed() {
      const { relayLinks } = started().status();
      const bytes = relayLinks.reduce((sum, { bytesForward, bytesBackward }) => sum + bytesForward + bytesBackward, 0);
      return { bytes, ...relayMemory() };
    },
    close: () => started().close(),
  },
  () => ({ figures: { receivedBytes: receivedBytes(), longestPauseMs: longestPauseMs() }, text: reportText() }),
);
