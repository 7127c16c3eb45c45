import { type Connection, type MatryoshkaNode, type TrafficOption, createNode } from '@matryoshka/node';
import { type CryptoProvider, portableProvider, randomBytes } from '@matryoshka/session';
import { type Machine, type World, createWorld } from '@matryoshka/simulation';
import type { Breakable } from './faults.ts';
import type { ConnectionPlan, Plan } from './plan.ts';

const PORT = 999;
const IDENTITY_SEED_LENGTH = 32;
const SETTLE_MS = 20;

interface Running {
  readonly machine: Machine;
  readonly node: MatryoshkaNode;
}

/** The nodes of a plan, each on a machine of its own, in one world. */
export class Network implements Breakable {
  readonly world: World;
  readonly #plan: Plan;
  readonly #identities: readonly Uint8Array[];
  readonly #running: Running[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    const { seed, timersLateMs } = plan;
    this.world = createWorld({ seed, ...(timersLateMs === undefined ? {} : { timersLateMs }) });
    this.#identities = Array.from({ length: plan.nodes }, () => randomBytes(this.world.random, IDENTITY_SEED_LENGTH));
    for (const { a, b, conditions } of plan.paths) this.world.network.setPath(addressOf(a), addressOf(b), conditions);
  }

  /** The nodes that run now. */
  get nodes(): readonly MatryoshkaNode[] {
    return this.#running.map(({ node }) => node);
  }

  /** Starts every node. */
  async start(): Promise<void> {
    for (let number = 0; number < this.#plan.nodes; number++) {
      // In order, so that all of them always draw the same randomness.
      // oxlint-disable-next-line no-await-in-loop
      this.#running.push(await this.#boot(number));
    }
  }

  node(number: number): MatryoshkaNode {
    return this.#at(number).node;
  }

  /** Every node is connected to every other one directly, whoever dialled, and knows it. */
  async meet(): Promise<void> {
    const meetings = this.#running.flatMap((_, a) =>
      this.#running.slice(a + 1).map(({ node }, i) => {
        const b = a + 1 + i;
        return (a + b) % 2 === 0 ? this.node(a).connect(this.#placeOf(b)) : node.connect(this.#placeOf(a));
      }),
    );
    await Promise.all(meetings);
    // Who dialled knows before who was dialled does.
    const { clock } = this.world;
    while (this.nodes.some(({ connections }) => connections.length < this.#plan.nodes - 1)) {
      // oxlint-disable-next-line no-await-in-loop -- time goes on step by step
      await new Promise<void>((resolve) => void clock.after(SETTLE_MS, resolve));
    }
  }

  connect({ from, to, way, traffic }: ConnectionPlan): Promise<Connection> {
    const node = this.node(from);
    const place = this.#placeOf(to);
    const looks = traffic === undefined ? {} : { traffic };
    switch (way.kind) {
      case 'direct':
        return node.connect(place, looks);
      case 'relayed':
        return node.connect(place, { hops: way.hops, ...looks });
      case 'telescoped':
        return node.connect(place, { path: way.path.map((hop) => this.#placeOf(hop)), ...looks });
      default:
        return way satisfies never;
    }
  }

  addressOf(number: number): string {
    return addressOf(number);
  }

  runs(number: number): boolean {
    return !this.#at(number).machine.crashed;
  }

  crash(number: number, toldMs: number): void {
    this.#at(number).machine.crash({ toldMs });
  }

  /** Starts a crashed node again, with the same identity at the same address; it connects to the others as soon as it can. */
  async restart(number: number): Promise<void> {
    const running = await this.#boot(number);
    this.#running[number] = running;
    const others = this.#running.keys().filter((other) => other !== number);
    await Promise.all([...others].map((other) => this.#reunite(running, other)));
  }

  async #reunite({ machine, node }: Running, other: number): Promise<void> {
    while (!machine.crashed) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await node.connect(this.#placeOf(other));
        return;
      } catch {
        // oxlint-disable-next-line no-await-in-loop -- the network may be split, or the other one down
        await new Promise<void>((resolve) => void this.world.clock.after(REUNITE_EVERY_MS, resolve));
      }
    }
  }

  async #boot(number: number): Promise<Running> {
    const machine = this.world.boot(addressOf(number));
    const node = await createNode({
      identity: this.#identities[number] as Uint8Array,
      transports: [machine.transport],
      listen: [`${machine.address}:${PORT}`],
      provider: this.#provider(number),
      suite: this.#plan.suite,
      traffic: this.#plan.traffic[number] as TrafficOption,
      clock: machine.clock,
      random: machine.random,
      access: { allowances: { unknown: UNLIMITED, known: UNLIMITED, relayed: UNLIMITED }, exempt: ['10.0.0.0/8'] },
      // One number on the whole path: the watch of blocks takes a number for a link.
      relay: { enabled: true, relayPorts: 'end-to-end', allowDial: ['private'], relayMemoryBytes: this.#plan.relayMemoryBytes },
    });
    return { machine, node };
  }

  #provider(number: number): CryptoProvider {
    return this.#plan.realCrypto ? portableProvider : this.world.provider(`node ${number}`);
  }

  #at(number: number): Running {
    const running = this.#running[number];
    if (running === undefined) throw new RangeError(`no node ${number}`);
    return running;
  }

  /** `peerId@address:port`. */
  #placeOf(number: number): string {
    return `${this.node(number).peerId}@${addressOf(number)}:${PORT}`;
  }
}

/** Allowances are another matter: a refusal for want of one is no broken promise. 0 is no limit. */
const UNLIMITED = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
/** How often a node that has started again tries to reach another one, in milliseconds. */
const REUNITE_EVERY_MS = 500;

/** Each node is in a network of its own, so that relays may choose any of them. */
export function addressOf(number: number): string {
  return `10.${number + 1}.0.1`;
}
