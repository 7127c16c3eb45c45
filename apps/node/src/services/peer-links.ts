import { setTimeout as sleep } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import { type Connection, MatryoshkaError, type MatryoshkaNode } from '@matryoshka/node';
import { duplex } from '@matryoshka/node/duplex';
import { CliError } from '../cli-error.ts';
import { type Way, connectOptionsOf } from './way.ts';

/** Connections kept for what may come; above it idle ones are closed, the one that was used longest ago first. */
const MAX_IDLE_LINKS = 32;
/** Connections at once. */
const MAX_LINKS = 256;
/** Pauses before a connection is tried again, in milliseconds: a relay that was chosen may just have gone. */
const RETRY_PAUSES_MS: readonly number[] = [200, 1_000];

interface PeerLink {
  readonly connection: Promise<Connection>;
  users: number;
  usedAtMs: number;
}

/** Where a stream goes, over which connection. */
export interface Target {
  /** As `connect` takes it. */
  readonly peer: string;
  readonly way: Way;
  /** Streams with different ones never share a connection. */
  readonly isolation?: string;
}

/** Connections to the peers whose services are used: made when first needed, shared, kept for the next use. */
export class PeerLinks {
  readonly #node: MatryoshkaNode;
  readonly #links = new Map<string, PeerLink>();
  readonly #closing = new AbortController();

  constructor(node: MatryoshkaNode) {
    this.#node = node;
  }

  /**
   * Opens a stream of `protocol` to a peer. A connection that ended meanwhile is made anew.
   * @throws MatryoshkaError why the peer is not reached or does not serve the protocol; CliError `service.busy`
   */
  async open(target: Target, protocol: string, signal: AbortSignal): Promise<Duplex> {
    for (let attempt = 0; ; attempt++) {
      const [key, link] = this.#link(target);
      // oxlint-disable-next-line no-await-in-loop
      const connection = await untilAborted(link.connection, signal);
      link.users++;
      try {
        // oxlint-disable-next-line no-await-in-loop
        const stream = duplex(await connection.openStream(protocol, { signal }));
        stream.once('close', () => this.#unused(link));
        return stream;
      } catch (error) {
        this.#unused(link);
        if (connection.open || attempt > 0) throw error;
        this.#links.delete(key);
      }
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#closing.abort(new MatryoshkaError('shutdown'));
    await Promise.allSettled([...this.#links.values()].map(async ({ connection }) => (await connection).close()));
  }

  #link({ peer, way, isolation = '' }: Target): readonly [string, PeerLink] {
    const key = JSON.stringify([peer, way, isolation]);
    let link = this.#links.get(key);
    if (link === undefined) {
      this.#makeRoom();
      const connection = this.#connect(peer, way);
      link = { connection, users: 0, usedAtMs: performance.now() };
      this.#links.set(key, link);
      const forget = (): void => {
        if (this.#links.get(key)?.connection === connection) this.#links.delete(key);
      };
      connection.then(({ closed }) => closed).then(forget, forget);
    }
    link.usedAtMs = performance.now();
    return [key, link];
  }

  async #connect(peer: string, way: Way): Promise<Connection> {
    const { signal } = this.#closing;
    for (let attempt = 0; ; attempt++) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        return await this.#node.connect(peer, { ...connectOptionsOf(way), signal });
      } catch (error) {
        const pauseMs = RETRY_PAUSES_MS[attempt];
        if (pauseMs === undefined || signal.aborted || !mayPass(error)) throw error;
        // oxlint-disable-next-line no-await-in-loop
        await sleep(pauseMs, undefined, { signal });
      }
    }
  }

  #makeRoom(): void {
    const idle = [...this.#links].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    if (idle.length < MAX_IDLE_LINKS && this.#links.size < MAX_LINKS) return;
    const [oldest] = idle;
    if (oldest === undefined)
      throw new CliError('service.busy', `${MAX_LINKS} connections to peers are in use at once`, 'end some of what uses them');
    const [key, { connection }] = oldest;
    this.#links.delete(key);
    connection.then((idleConnection) => idleConnection.close()).catch(() => {});
  }

  #unused(link: PeerLink): void {
    link.users--;
    link.usedAtMs = performance.now();
  }
}

/** Whether it may go better in a moment. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof MatryoshkaError &&
    (error.kind === 'network' || error.code.startsWith('relay.') || error.code === 'circuit.extend-failed') &&
    error.kind !== 'caller'
  );
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
