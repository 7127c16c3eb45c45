import { loadNativeProvider } from '@matryoshka/native';
import { type Random, portableProvider, randomBelow } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import type { Connection, ConnectOptions, MatryoshkaNode, NodeOptions } from '../../src/index.ts';
import { TestNetwork } from '../network.ts';
import { Witness } from './witness.ts';

const provider = loadNativeProvider() ?? portableProvider;
/** Bursts are in the middle of intervals of this length, in milliseconds. */
export const INTERVAL_MS = 100;
const BURSTS = 18;

/** A part of every burst, too long to occur by chance: what only the two ends may ever be handed. */
export const MARK: Uint8Array = Uint8Array.from({ length: 24 }, (_, i) => (i * 151 + 77) & 255);
export const PROTOCOL = '/of-which-only-the-ends-know/1';

/** A network every node of which has a witness. */
export class Stage {
  readonly net: TestNetwork;
  readonly witnesses = new Map<string, Witness>();
  readonly #random: Random;

  constructor(seed: number) {
    this.net = new TestNetwork(seed, { latencyMs: 3, provider });
    this.#random = seededRandom(seed);
  }

  /** Starts nodes in networks of their own: A at 10.1.0.1, and so on. */
  async start(names: readonly string[], options: Partial<NodeOptions> = {}): Promise<void> {
    for (const name of names) {
      const host = `10.${this.witnesses.size + 1}.0.1`;
      const witness = new Witness(() => this.net.world.clock.now());
      this.witnesses.set(name, witness);
      const transports = [witness.transport(this.net.world.network.host(host))];
      // oxlint-disable-next-line no-await-in-loop
      await this.net.start(name, host, { ...options, provider: witness.provider(provider), transports });
    }
  }

  witness(name: string): Witness {
    const witness = this.witnesses.get(name);
    if (witness === undefined) throw new RangeError(`no node ${name}`);
    return witness;
  }

  node(name: string): MatryoshkaNode {
    return this.net.node(name);
  }

  /** Connects and sends bursts of many sizes at random times to the other end; returns once all of it has arrived. */
  async talk(from: string, to: string, options: ConnectOptions): Promise<Connection> {
    const { clock } = this.net.world;
    let arrived = 0;
    this.node(to).serve(PROTOCOL, (stream) => stream.attach({ data: (bytes) => void (arrived += bytes.length) }));
    const connection = await this.net.run(this.node(from).connect(this.net.address(to), options));
    const stream = await this.net.run(connection.openStream(PROTOCOL));
    await clock.advance(1000);
    let sent = 0;
    for (let i = 0; i < BURSTS; i++) {
      // Sizes of all orders of magnitude, each as likely as the others.
      const bytes = this.#burst(Math.floor(200 * 2 ** (randomBelow(this.#random, 500) / 100)));
      const nextMs = Math.ceil(clock.now() / INTERVAL_MS) * INTERVAL_MS + INTERVAL_MS * (1 + randomBelow(this.#random, 8));
      // oxlint-disable-next-line no-await-in-loop
      await clock.advance(nextMs + INTERVAL_MS / 4 - clock.now());
      stream.write(bytes);
      sent += bytes.length;
    }
    await clock.advance(2000);
    if (arrived !== sent) throw new Error(`${arrived} of ${sent} bytes arrived`);
    return connection;
  }

  /** Random bytes with the mark in them. */
  #burst(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#random.fill(bytes);
    bytes.set(MARK, 100);
    return bytes;
  }
}
