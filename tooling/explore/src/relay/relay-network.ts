import { type Connection, type MatryoshkaNode, type NodeOptions, createNode } from '@matryoshka/node';
import { type RoutingPolicy, randomNextHop } from '@matryoshka/relay';
import { type PeerId, peerIdFromKey, randomBytes } from '@matryoshka/session';
import { type Machine, type World, createWorld } from '@matryoshka/simulation';
import type { Breakable } from '../play/faults.ts';
import type { Prey } from './misdeeds.ts';
import type { RelayPlan, RequestPlan } from './relay-plan.ts';
import { RogueNode } from './rogue-node.ts';

const PORT = 999;
const IDENTITY_SEED_LENGTH = 32;
/** How often a node tries to reach a neighbour again, in milliseconds. */
const REUNITE_EVERY_MS = 1000;
/** 0 is no limit. */
const UNLIMITED = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };

/** One life of a node, from its start to its crash. */
export interface Life {
  readonly number: number;
  readonly machine: Machine;
  /** By which its relay service is found. */
  readonly policy: RoutingPolicy;
  /** What runs: an honest node, or one that misbehaves. */
  readonly node: MatryoshkaNode | RogueNode;
  /** Resolves when it crashes; never where it does not. */
  readonly crashed: Promise<void>;
}

/** The nodes of a plan, each on a machine of its own, connected as the plan says. */
export class RelayNetwork implements Breakable {
  readonly world: World;
  readonly #plan: RelayPlan;
  readonly #identities: readonly Uint8Array[];
  readonly #lives: Life[] = [];
  readonly #crashes = new Map<Machine, () => void>();
  readonly #started: (life: Life) => void;
  #closing = false;

  /** @param started - is shown every life before anything happens in it */
  constructor(plan: RelayPlan, started: (life: Life) => void) {
    this.#plan = plan;
    this.#started = started;
    const { conditions, seed, timersLateMs } = plan;
    this.world = createWorld({ seed, ...conditions, ...(timersLateMs === undefined ? {} : { timersLateMs }) });
    this.#identities = Array.from({ length: plan.nodes }, () => randomBytes(this.world.random, IDENTITY_SEED_LENGTH));
  }

  /** The lives that go on now. */
  get lives(): readonly Life[] {
    return this.#lives.filter(({ machine }) => !machine.crashed);
  }

  life(number: number): Life {
    const life = this.#lives[number];
    if (life === undefined) throw new RangeError(`no node ${number}`);
    return life;
  }

  /** The honest node of this number. */
  honest(number: number): MatryoshkaNode {
    const { node } = this.life(number);
    if (node instanceof RogueNode) throw new TypeError(`node ${number} misbehaves`);
    return node;
  }

  addressOf(number: number): string {
    return `10.${(this.#plan.networks[number] as number) + 1}.0.${number + 1}`;
  }

  /** Who has this identity. */
  numberOf(peerId: string | undefined): number | undefined {
    const found = this.#lives.findIndex(({ node }) => node.peerId === peerId);
    return found < 0 ? undefined : found;
  }

  runs(number: number): boolean {
    return !this.life(number).machine.crashed;
  }

  crash(number: number, toldMs: number): void {
    const { machine } = this.life(number);
    machine.crash({ toldMs });
    this.#crashes.get(machine)?.();
  }

  /** Starts a crashed node again, with the same identity; it connects to its neighbours as soon as it can. */
  async restart(number: number): Promise<void> {
    if (this.#closing) return;
    const life = await this.#boot(number);
    this.#lives[number] = life;
    this.#acquaint([life]);
    for (const { from, to } of this.#plan.edges) {
      if (from === number) void this.#unite(from, to);
      else if (to === number) void this.#unite(to, from);
    }
  }

  /** Starts every node, in order, and connects them; resolves when all have met. */
  async start(): Promise<void> {
    for (let number = 0; number < this.#plan.nodes; number++) {
      // In order, so that all of them always draw the same randomness.
      // oxlint-disable-next-line no-await-in-loop
      this.#lives.push(await this.#boot(number));
    }
    this.#acquaint(this.#lives);
    await Promise.all(this.#plan.edges.map(({ from, to }) => this.#unite(from, to)));
  }

  connect({ from, to, way, anonymous }: RequestPlan, signal: AbortSignal): Promise<Connection> {
    const node = this.honest(from);
    const options = { signal, ...(anonymous && { anonymous }) };
    if (way.kind === 'telescoped') return node.connect(this.#placeOf(to), { ...options, path: way.path.map((hop) => this.#placeOf(hop)) });
    if (way.kind === 'circuit') return node.connect(this.#placeOf(to), { signal, circuit: { hops: way.hops } });
    const { gateway, hops, named } = way;
    const relayed = { ...options, hops, ...(gateway !== undefined && { gateway: this.#placeOf(gateway) }) };
    switch (named) {
      case 'pinned':
        return node.connect(this.#placeOf(to), relayed);
      case 'peer':
        return node.connect(this.#peerIdOf(to), relayed);
      case 'unverified':
        return node.connect(`${this.addressOf(to)}:${PORT}`, { ...relayed, unverifiedDestination: true });
      default:
        return named satisfies never;
    }
  }

  /** Closes every node that runs; those that crashed stay as they are. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.lives.map(({ node }) => node.close()));
  }

  /** Honest nodes of `lives` get the newest descriptors of all, as if by an exchange. */
  #acquaint(lives: readonly Life[]): void {
    const descriptors = this.lives.map(({ node }) => (node instanceof RogueNode ? node.descriptor() : node.directory.get(node.peerId)));
    for (const { node } of lives) {
      if (node instanceof RogueNode) continue;
      for (const descriptor of descriptors) if (descriptor !== undefined) node.directory.publish(descriptor);
    }
  }

  /** Connects one node to another, again and again as long as both live. */
  async #unite(from: number, to: number): Promise<void> {
    const { machine, node } = this.life(from);
    while (!machine.crashed && !this.#closing) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await node.connect(this.#placeOf(to));
        return;
      } catch {
        // oxlint-disable-next-line no-await-in-loop -- the other one may be down
        await new Promise<void>((resolve) => void this.world.clock.after(REUNITE_EVERY_MS, resolve));
      }
    }
  }

  async #boot(number: number): Promise<Life> {
    const { allowances, perHopPorts, relayMemoryBytes, rogues, unwilling } = this.#plan;
    const machine = this.world.boot(this.addressOf(number));
    const policy = { ...randomNextHop };
    const rogue = rogues.find(({ node }) => node === number);
    const common = {
      identity: this.#identities[number] as Uint8Array,
      provider: this.world.provider(`node ${number}`),
      clock: machine.clock,
      random: machine.random,
    };
    const { promise: crashed, resolve } = Promise.withResolvers<void>();
    this.#crashes.set(machine, resolve);
    const relay = {
      enabled: !unwilling.includes(number),
      allowDial: ['private' as const],
      relayPorts: perHopPorts.includes(number) ? ('per-hop' as const) : ('end-to-end' as const),
      relayMemoryBytes: relayMemoryBytes[number] as number,
      policy,
    };
    const options: NodeOptions = {
      ...common,
      transports: [machine.transport],
      listen: [`${machine.address}:${PORT}`],
      suite: 'chacha20poly1305',
      access: {
        ...(allowances ? {} : { allowances: { unknown: UNLIMITED, known: UNLIMITED, relayed: UNLIMITED } }),
        exempt: ['10.0.0.0/8'],
      },
      relay,
      circuits: this.#plan.circuits,
      directory: { publish: true },
    };
    const others = Array.from({ length: this.#plan.nodes }, (_, i) => i).filter((other) => other !== number);
    const node =
      rogue === undefined
        ? await createNode(options)
        : new RogueNode({ ...common, ...rogue, machine, port: PORT, relay, prey: others.map((other) => this.#preyOf(other)) });
    if (node instanceof RogueNode) await node.start();
    const life = { number, machine, policy, node, crashed };
    this.#started(life);
    return life;
  }

  #preyOf(number: number): Prey {
    return { host: this.addressOf(number), peerId: this.#peerIdOf(number) };
  }

  #peerIdOf(number: number): PeerId {
    const provider = this.world.provider('identities');
    return peerIdFromKey(provider, provider.signingKey(this.#identities[number] as Uint8Array).publicKey);
  }

  /** `peerId@address:port`. */
  #placeOf(number: number): string {
    return `${this.#peerIdOf(number)}@${this.addressOf(number)}:${PORT}`;
  }
}
