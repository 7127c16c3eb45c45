import { loadNativeProvider } from '@matryoshka/native';
import { type Random, portableProvider, randomBelow, randomItem } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type Candidate, type Connection, MatryoshkaError, type RoutingPolicy, routing } from '../src/index.ts';
import { type Echoed, TestNetwork, echo, serveEcho } from './network.ts';

// Many handshakes, of which only the outcome matters here: the fastest provider there is.
const provider = loadNativeProvider() ?? portableProvider;

const SEEDS = 30;
const ACTIONS = 30;

/** How relays choose: most at random, some by other policies, and some by one that fails in this way or that. */
const POLICIES: readonly RoutingPolicy[] = [
  ...Array.from({ length: 6 }, () => routing.randomNextHop),
  routing.weightedByBandwidth,
  routing.lowestLatency({ choices: 2 }),
  routing.prefer(({ links }) => links < 2, routing.weightedByBandwidth),
  routing.all(({ ageMs }) => ageMs > 100),
  {
    selectNextHop: (_request, candidates, random) => {
      if (randomBelow(random, 4) === 0) throw new RangeError('no idea');
      return { ...(randomItem(random, candidates) as Candidate) };
    },
  },
];

/** One run: nodes that come to know each other at random, ask for connections, send, and have accidents. */
class Chaos {
  readonly net: TestNetwork;
  readonly random: Random;
  readonly connections: Connection[] = [];
  readonly failures: string[] = [];
  readonly transfers: { readonly connection: Connection; readonly echoed: Promise<Echoed> }[] = [];
  readonly crashed = new Set<string>();
  #running = 0;

  constructor(seed: number) {
    this.net = new TestNetwork(seed, { latencyMs: [1, 30], provider });
    this.random = seededRandom(seed * 7919);
  }

  async run(): Promise<void> {
    const { net, random } = this;
    for (let i = 0; i < 8 + randomBelow(random, 5); i++) {
      // Some have little memory for relaying, and small windows.
      const relayMemoryBytes = randomItem(random, [64 * 1024, 1024 * 1024, 256 * 1024 * 1024]) as number;
      const policy = randomItem(random, POLICIES) as RoutingPolicy;
      await net.start(`N${i}`, `10.${i + 1}.0.1`, { relay: { relayMemoryBytes, policy } });
    }
    for (const name of net.names) serveEcho(net.node(name));
    for (const [i, name] of net.names.entries()) {
      // A ring, so that nobody is alone, and chords.
      await net.connect(name, net.names[(i + 1) % net.names.length] as string);
      if (randomBelow(random, 2) === 0) await net.connect(name, this.#other(name));
    }
    for (let action = 0; action < ACTIONS; action++) {
      this.#act();
      await net.settle(randomBelow(random, 400));
    }
    // Whatever is under way comes to an end by itself.
    for (let waitedMs = 0; this.#running > 0; waitedMs += 1000) {
      if (waitedMs > 300_000) throw new Error(`${this.#running} operations hang`);
      await net.settle(1000);
    }
  }

  #node(): string {
    return randomItem(
      this.random,
      this.net.names.filter((name) => !this.crashed.has(name)),
    ) as string;
  }

  #other(...not: readonly string[]): string {
    return randomItem(
      this.random,
      this.net.names.filter((name) => !not.includes(name)),
    ) as string;
  }

  #act(): void {
    const { net, random } = this;
    switch (randomBelow(random, 15)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const from = this.#node();
        this.#connect(
          net
            .node(from)
            .connect(net.address(this.#other(from)), { hops: 1 + randomBelow(random, 4), anonymous: randomBelow(random, 3) === 0 }),
        );
        break;
      }
      case 4:
      case 5: {
        const from = this.#node();
        const path: string[] = [];
        for (let i = 0; i < 1 + randomBelow(random, 3); i++) path.push(this.#other(from, ...path));
        this.#connect(net.node(from).connect(net.address(this.#other(from, ...path)), { path: path.map((name) => net.address(name)) }));
        break;
      }
      case 6:
      case 7:
      case 8:
      case 9: {
        const connection = randomItem(
          random,
          this.connections.filter(({ open }) => open),
        );
        if (connection !== undefined) this.#transfer(connection);
        break;
      }
      case 10: {
        const connection = randomItem(random, this.connections);
        if (connection !== undefined) this.#track(connection.close());
        break;
      }
      case 11: {
        const a = this.#node();
        net.world.network.cut(net.host(a), net.host(this.#other(a)));
        break;
      }
      case 12: {
        const node = net.node(this.#node());
        node.setRelayEnabled(false);
        net.world.clock.after(randomBelow(random, 1000), () => node.setRelayEnabled(true));
        break;
      }
      case 13: {
        // Nothing gets through for a while, or what is on its way never arrives; nobody is told.
        const a = this.#node();
        const durationMs = randomBelow(random, 2) === 0 ? 200 + randomBelow(random, 60_000) : Number.POSITIVE_INFINITY;
        net.world.network.silence(net.host(a), net.host(this.#other(a)), durationMs);
        break;
      }
      default:
        if (this.crashed.size < 2) {
          const name = this.#node();
          this.crashed.add(name);
          net.world.network.crash(net.host(name));
        }
    }
  }

  #connect(promise: Promise<Connection>): void {
    this.#track(
      promise.then(
        (connection) => {
          this.connections.push(connection);
          this.#transfer(connection);
        },
        (error: unknown) => {
          if (!(error instanceof MatryoshkaError) || error.code === 'bug') throw error;
          this.failures.push(error.code);
        },
      ),
    );
  }

  #transfer(connection: Connection): void {
    const echoed = echo(connection, 1 + randomBelow(this.random, 400_000), this.transfers.length);
    this.transfers.push({ connection, echoed });
    this.#track(echoed);
  }

  #track(promise: Promise<unknown>): void {
    this.#running++;
    promise.then(
      () => this.#running--,
      (error: unknown) => {
        // Left counted: the run then fails with it as an unhandled rejection.
        throw error;
      },
    );
  }
}

describe('a network in which anything happens', () => {
  let moved = 0;
  let opened = 0;
  const failures = new Map<string, number>();

  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'seed %i: nobody hangs, no byte is lost or repeated, nothing stays behind',
    async (seed) => {
      const chaos = new Chaos(seed);
      const { net } = chaos;
      await chaos.run();
      for (const { connection, echoed } of chaos.transfers) {
        const { sent, got, error } = await echoed;
        // What came back is the beginning of what was sent; all of it where the connection lived.
        expect(Buffer.compare(got, sent.subarray(0, got.length))).toBe(0);
        if (connection.open) expect(error).toBeUndefined();
        if (error === undefined) expect(got.length).toBe(sent.length);
        else expect(error.code).not.toBe('bug');
        moved += got.length;
      }
      opened += chaos.connections.length;
      for (const code of chaos.failures) failures.set(code, (failures.get(code) ?? 0) + 1);
      for (const connection of chaos.connections) await net.run(connection.close());
      // As long as it takes to find out that the other side of a silent connection is gone.
      await net.settle(120_000);
      expect(net.holdings()).toEqual(net.nothing());
      await net.close();
      expect(net.holdings()).toEqual(net.nothing());
      for (const name of net.names) expect(net.node(name).connections).toEqual([]);
    },
  );

  test('the runs did what they are for', () => {
    expect(opened).toBeGreaterThan(SEEDS * 3);
    expect(moved).toBeGreaterThan(SEEDS * 500_000);
    expect([...failures.keys()].length).toBeGreaterThan(3);
  });
});
