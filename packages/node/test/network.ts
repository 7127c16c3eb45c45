import { portableProvider } from '@matryoshka/session';
import { type World, createWorld, seededRandom } from '@matryoshka/simulation';
import { type MatryoshkaNode, type NodeOptions, createNode } from '../src/index.ts';

/** A simulated network of nodes, one per name, each at its own address. */
export class TestNetwork {
  readonly world: World;
  readonly #nodes = new Map<string, MatryoshkaNode>();
  readonly #hosts = new Map<string, string>();
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.world = createWorld({ seed, latencyMs: 5 });
  }

  /** Starts a node that listens on `host:999`. Relaying is on unless `options` say otherwise. */
  async start(name: string, host: string, options: Partial<NodeOptions> = {}): Promise<MatryoshkaNode> {
    const { clock, network } = this.world;
    const node = await this.run(
      createNode({
        transports: [network.host(host)],
        listen: [`${host}:999`],
        provider: portableProvider,
        clock,
        random: seededRandom(this.#seed++ * 1000 + 7),
        relay: { enabled: true },
        ...options,
      }),
    );
    this.#nodes.set(name, node);
    this.#hosts.set(name, host);
    return node;
  }

  node(name: string): MatryoshkaNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  host(name: string): string {
    return this.#hosts.get(name) as string;
  }

  /** `peerId@host:999` of a node. */
  address(name: string): string {
    return `${this.node(name).peerId}@${this.host(name)}:999`;
  }

  /** Connects nodes directly: `connect('A', 'B', 'C')` is A to B and A to C. */
  async connect(from: string, ...to: readonly string[]): Promise<void> {
    for (const name of to) await this.run(this.node(from).connect(this.address(name)));
    await this.settle();
  }

  /** Lets what is on its way arrive. */
  async settle(): Promise<void> {
    await this.world.clock.advance(200);
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.world.run(promise);
  }

  async close(): Promise<void> {
    await this.run(Promise.all([...this.#nodes.values()].map((node) => node.close())));
  }
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
