import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import { RelayService } from '@matryoshka/relay';
import { type CryptoProvider, portableProvider } from '@matryoshka/session';
import { type Latency, type World, createWorld, seededRandom } from '@matryoshka/simulation';
import { vi } from 'vitest';
import {
  type Connection,
  MatryoshkaError,
  type MatryoshkaNode,
  type NodeOptions,
  type RelayLinkStatus,
  createNode,
  randomNextHop,
} from '../src/index.ts';

const UNLIMITED = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
/** Tests of anything else ask as often as they like. */
const UNLIMITED_ALLOWANCES = { unknown: UNLIMITED, known: UNLIMITED, relayed: UNLIMITED };

/** A relay message as the code of a node was handed it. */
export interface Handed {
  readonly node: string;
  readonly session: Session;
  readonly message: RelayMessage;
}

export interface TestNetworkOptions {
  readonly latencyMs?: Latency;
  readonly provider?: CryptoProvider;
}

/** A simulated network of nodes, one per name, each at its own address. */
export class TestNetwork {
  readonly world: World;
  /** What relays said happened to the links they forward. */
  readonly events: { readonly node: string; readonly event: string; readonly link: RelayLinkStatus }[] = [];
  readonly #nodes = new Map<string, MatryoshkaNode>();
  readonly #hosts = new Map<string, string>();
  readonly #names = new Map<unknown, string>();
  readonly #provider: CryptoProvider;
  #seed: number;

  constructor(seed: number, { latencyMs = 5, provider = portableProvider }: TestNetworkOptions = {}) {
    this.#seed = seed;
    this.#provider = provider;
    this.world = createWorld({ seed, latencyMs });
  }

  /** Starts a node that listens on `host:999`, relays, and dials private addresses for others, unless `options` say otherwise. */
  async start(name: string, host: string, options: Partial<NodeOptions> = {}): Promise<MatryoshkaNode> {
    const { clock, network } = this.world;
    // One object per node, by which its relay service is found again.
    const policy = { ...(options.relay?.policy ?? randomNextHop) };
    this.#names.set(policy, name);
    const node = await this.run(
      createNode({
        transports: [network.host(host)],
        listen: [placeOf(host)],
        provider: this.#provider,
        clock,
        random: seededRandom(this.#seed++ * 1000 + 7),
        ...options,
        access: { allowances: UNLIMITED_ALLOWANCES, ...options.access },
        relay: { enabled: true, allowDial: ['private'], ...options.relay, policy },
      }),
    );
    node.on('relay', ({ event, link }) => this.events.push({ node: name, event, link }));
    this.#nodes.set(name, node);
    this.#hosts.set(name, host);
    return node;
  }

  /** Starts nodes in networks of their own: 10.1.0.1, 10.2.0.1, … */
  async startAll(names: readonly string[], options: Partial<NodeOptions> = {}): Promise<void> {
    for (const name of names) await this.start(name, `10.${this.#nodes.size + 1}.0.1`, options);
  }

  get names(): string[] {
    return [...this.#nodes.keys()];
  }

  node(name: string): MatryoshkaNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  host(name: string): string {
    return this.#hosts.get(name) as string;
  }

  /** Who has this address, or identity. */
  nameOf(what: string | undefined): string | undefined {
    return this.names.find(
      (name) => this.node(name).peerId === what || what === this.host(name) || what?.startsWith(`${this.host(name)}:`),
    );
  }

  /** `peerId@host:999` of a node. */
  address(name: string): string {
    return `${this.node(name).peerId}@${placeOf(this.host(name))}`;
  }

  /** Connects nodes directly: `connect('A', 'B', 'C')` is A to B and A to C. */
  async connect(from: string, ...to: readonly string[]): Promise<void> {
    for (const name of to) await this.run(this.node(from).connect(this.address(name)));
    await this.settle();
  }

  /** Lets what is on its way arrive. */
  async settle(ms = 200): Promise<void> {
    await this.world.clock.advance(ms);
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.world.run(promise);
  }

  /** The error that `promise` fails with, and after how much virtual time. */
  async failure(
    promise: Promise<unknown>,
  ): Promise<{ readonly code: string; readonly message: string; readonly afterMs: number; readonly error: MatryoshkaError }> {
    const from = this.world.clock.now();
    const error = await this.run(
      promise.then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    if (!(error instanceof MatryoshkaError)) throw new TypeError(`expected a MatryoshkaError, not ${String(error)}`);
    return { code: error.code, message: error.message, afterMs: this.world.clock.now() - from, error };
  }

  /** Whose relay service it is. */
  nameOfService(service: RelayService): string | undefined {
    return this.#names.get(service.options.policy);
  }

  /** Relay messages of all nodes from now on, as their code is handed them; `change` may replace one. */
  overhear(change?: (handed: Handed) => RelayMessage): Handed[] {
    const heard: Handed[] = [];
    const nameOf = (service: RelayService): string => this.#names.get(service.options.policy) ?? '?';
    const original = RelayService.prototype.message;
    vi.spyOn(RelayService.prototype, 'message').mockImplementation(function (this: RelayService, session: Session, message: RelayMessage) {
      const handed = { node: nameOf(this), session, message };
      heard.push({ ...handed, message: structuredClone(message) });
      original.call(this, session, change?.(handed) ?? message);
    });
    return heard;
  }

  /** Every relay data that a node is handed from now on. */
  overhearData(hear: (node: string, bytes: Uint8Array) => void): void {
    const nameOf = (service: RelayService): string => this.#names.get(service.options.policy) ?? '?';
    const original: RelayHandler['data'] = RelayService.prototype.data;
    vi.spyOn(RelayService.prototype, 'data').mockImplementation(function (
      this: RelayService,
      session: Session,
      high: number,
      low: number,
      flags: number,
      bytes: Uint8Array,
    ) {
      hear(nameOf(this), bytes);
      original.call(this, session, high, low, flags, bytes);
    });
  }

  /** From now on `name` passes on what `change` makes of each relay data: none, one or more. */
  meddle(name: string, change: (bytes: Uint8Array) => readonly Uint8Array[]): void {
    const nameOf = (service: RelayService): string => this.#names.get(service.options.policy) ?? '?';
    const original: RelayHandler['data'] = RelayService.prototype.data;
    vi.spyOn(RelayService.prototype, 'data').mockImplementation(function (
      this: RelayService,
      session: Session,
      high: number,
      low: number,
      flags: number,
      bytes: Uint8Array,
    ) {
      const passed = nameOf(this) === name ? change(bytes) : [bytes];
      for (const each of passed) original.call(this, session, high, low, flags, each);
    });
  }

  /** What each node holds for relay links. */
  holdings(): Record<string, { readonly takenBytes: number; readonly linkEnds: number; readonly forwarded: number }> {
    const of = (name: string): ReturnType<TestNetwork['holdings']>[string] => {
      const { relayMemory, relayLinkEnds, relayLinks } = this.node(name).status();
      return { takenBytes: relayMemory.takenBytes, linkEnds: relayLinkEnds, forwarded: relayLinks.length };
    };
    return Object.fromEntries(this.names.map((name) => [name, of(name)]));
  }

  /** `holdings` of nodes that hold nothing. */
  nothing(): ReturnType<TestNetwork['holdings']> {
    return Object.fromEntries(this.names.map((name) => [name, { takenBytes: 0, linkEnds: 0, forwarded: 0 }]));
  }

  async close(): Promise<void> {
    await this.run(Promise.all([...this.#nodes.values()].map((node) => node.close())));
    await this.settle();
  }
}

function placeOf(host: string): string {
  return host.includes(':') ? `[${host}]:999` : `${host}:999`;
}

/** Serves an echo on `node`. */
export function serveEcho(node: MatryoshkaNode): void {
  node.serve('/echo/1', (stream) => {
    stream.attach({
      data: (bytes) => {
        if (!stream.write(bytes)) stream.pause();
      },
      writable: () => stream.resume(),
      end: () => stream.end(),
    });
  });
}

/** Bytes that can be told from those of other seeds at every position. */
export function sample(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 101) & 255);
}

/** What became of bytes that were sent to an echo. */
export interface Echoed {
  readonly sent: Uint8Array;
  /** What came back, in order. */
  readonly got: Uint8Array;
  /** Undefined where all of it came back and both sides ended. */
  readonly error: MatryoshkaError | undefined;
}

/** Sends bytes to the echo at the other end, and ends when they are back or the connection fails; never rejects. */
export async function echo(connection: Connection, length: number, seed = 1): Promise<Echoed> {
  const sent = sample(length, seed);
  const got = new Uint8Array(length + 1);
  let at = 0;
  let offset = 0;
  let error: MatryoshkaError | undefined;
  try {
    const stream = await connection.openStream('/echo/1');
    const pump = (): void => {
      while (offset < length) {
        const chunk = sent.subarray(offset, Math.min(length, offset + 30_000));
        offset += chunk.length;
        if (!stream.write(chunk)) return;
      }
      stream.end();
    };
    error = await new Promise((resolve) => {
      stream.attach({
        data: (bytes) => {
          got.set(bytes.subarray(0, Math.max(0, got.length - at)), Math.min(at, length));
          at += bytes.length;
        },
        writable: pump,
        closed: resolve,
      });
      pump();
    });
  } catch (reason) {
    error = reason as MatryoshkaError;
  }
  return { sent, got: got.subarray(0, Math.min(at, got.length)), error };
}

/** Whether everything came back, unchanged. */
export function intact({ sent, got, error }: Echoed): boolean {
  return error === undefined && Buffer.compare(sent, got) === 0;
}
