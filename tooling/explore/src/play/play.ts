import type { Connection, MatryoshkaNode } from '@matryoshka/node';
import type { Timer } from '@matryoshka/transport';
import type { Outcome } from '../scenario.ts';
import { Faults } from './faults.ts';
import { Network } from './network.ts';
import type { ConnectionPlan, Plan } from './plan.ts';
import { noteRelayData } from './relay-blocks.ts';
import { Transfers } from './transfers.ts';

/** Virtual time after which whatever is not done hangs, in milliseconds. */
const HANG_MS = 600_000;
/** How often memory is looked at, in milliseconds of virtual time. */
const LOOK_EVERY_MS = 500;
/** Connecting is tried again where faults may hit a handshake. */
const MAX_CONNECTS = 8;
/** Pause before it is: a split network takes longer than a failed attempt, in milliseconds. */
const CONNECT_AGAIN_MS = 2000;
/** As long as a node takes to notice that the other side of a silent connection is gone, and ports to rest, in milliseconds. */
const FORGET_MS = 120_000;

/** What is looked at beside what always is. */
export interface PlayOptions {
  /** No 16-byte block goes over two links; it costs time. */
  readonly watchBlocks: boolean;
}

/** What became of a plan, and a trace to compare two runs of it. */
export interface Played extends Outcome {
  readonly trace: string;
}

/** Plays a plan: connects, runs its streams and faults, closes, and looks at every promise there is. */
export async function play(plan: Plan, { watchBlocks }: PlayOptions): Promise<Played> {
  const game = new Game(plan);
  const forget = watchBlocks ? noteRelayData(game.network.world.watchBlocks()) : (): void => {};
  try {
    await game.run();
  } finally {
    forget();
  }
  return game.outcome();
}

class Game {
  readonly network: Network;
  readonly #plan: Plan;
  readonly #violations: string[] = [];
  readonly #transfers: Transfers;
  readonly #faults: Faults;
  #stage = 'starting';

  constructor(plan: Plan) {
    const report = (violation: string): void => void this.#violations.push(violation);
    this.#plan = plan;
    this.network = new Network(plan);
    this.#transfers = new Transfers(this.network, plan, report);
    this.#faults = new Faults(this.network, plan.nodes, report);
  }

  async run(): Promise<void> {
    const { world } = this.network;
    this.#lookAtMemory();
    try {
      await world.run(this.#play(), { deadlineMs: HANG_MS });
      if (this.#violations.length === 0) await this.#lookAtRest();
    } catch (error) {
      // Everything that goes wrong in a world is what we look for, the end of its time included.
      this.#violations.push(`while ${this.#stage}: ${String(error)}`, ...this.#transfers.unfinished.map((what) => `unfinished: ${what}`));
    }
  }

  outcome(): Played {
    const { trace, violations } = this.network.world;
    return { steps: trace.steps, faults: this.#faults.happened, violations: [...this.#violations, ...violations], trace: trace.hash };
  }

  async #play(): Promise<void> {
    const { network } = this;
    await network.start();
    this.#stage = 'nodes connect';
    await network.meet();
    this.#faults.inject(this.#plan.faults);
    this.#stage = 'connections are made';
    const connections = await Promise.all(this.#plan.connections.map((connection) => this.#connect(connection)));
    this.#stage = 'streams run';
    const reshapes = this.#reshape(connections);
    await this.#transfers.run(connections);
    // Cover that begins later would have no end.
    for (const timer of reshapes) timer.cancel();
    this.#stage = 'connections close';
    await Promise.all(connections.map((connection) => connection.close()));
  }

  /** Traffic looks different while streams run: nothing of them may be lost by it. */
  #reshape(connections: readonly Connection[]): readonly Timer[] {
    return this.#plan.reshapes.map(({ atMs, of, traffic }) =>
      this.network.world.clock.after(atMs, () => {
        if ('connection' in of) connections[of.connection]?.updateTraffic(traffic);
        else if (this.network.runs(of.node)) this.network.node(of.node).updateTraffic(traffic);
      }),
    );
  }

  async #connect(plan: ConnectionPlan): Promise<Connection> {
    for (let attempt = 1; ; attempt++) {
      try {
        // One after the other: each is made because the one before failed.
        // oxlint-disable-next-line no-await-in-loop
        return await this.network.connect(plan);
      } catch (error) {
        if (this.#plan.faults.length === 0 || attempt === MAX_CONNECTS) throw error;
        // oxlint-disable-next-line no-await-in-loop
        await new Promise<void>((resolve) => void this.network.world.clock.after(CONNECT_AGAIN_MS, resolve));
      }
    }
  }

  /** Nothing may be held once everything is closed. */
  async #lookAtRest(): Promise<void> {
    const { network } = this;
    this.#stage = 'nodes forget';
    // Cover would go on all the time.
    for (const node of network.nodes) node.updateTraffic('plain');
    await network.world.clock.advance(FORGET_MS);
    for (const [number, node] of network.nodes.entries()) {
      const { relayLinkEnds, relayLinks, relayMemory } = node.status();
      if (relayLinkEnds > 0 || relayLinks.length > 0 || relayMemory.takenBytes > 0)
        this.#violations.push(
          `node ${number} still holds ${relayLinkEnds} ends of relay links and ${relayMemory.takenBytes} bytes for them`,
        );
    }
    this.#stage = 'nodes close';
    await network.world.run(Promise.all(network.nodes.map((node) => node.close())), { deadlineMs: HANG_MS });
    for (const [number, node] of network.nodes.entries())
      if (node.connections.length > 0) this.#violations.push(`node ${number} is closed and has ${node.connections.length} connections`);
  }

  #lookAtMemory(): void {
    for (const [number, node] of this.network.nodes.entries()) this.#lookAtMemoryOf(node, number);
    if (this.#violations.length === 0) this.network.world.clock.after(LOOK_EVERY_MS, () => this.#lookAtMemory());
  }

  #lookAtMemoryOf(node: MatryoshkaNode, number: number): void {
    const { takenBytes, totalBytes } = node.status().relayMemory;
    if (takenBytes > totalBytes) this.#violations.push(`node ${number} took ${takenBytes} of ${totalBytes} bytes for relaying`);
  }
}
