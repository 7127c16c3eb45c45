import type { Played } from '../play/play.ts';
import { Faults } from '../play/faults.ts';
import { RelayNetwork } from './relay-network.ts';
import { LAST_ACT_MS, type RelayPlan, isCalm, tellRelayPlan } from './relay-plan.ts';
import { RelayWatch } from './relay-watch.ts';
import { type RequestTally, Requests } from './requests.ts';
import { RogueNode } from './rogue-node.ts';

/** Virtual time after which whatever is not done hangs, in milliseconds. */
const HANG_MS = 900_000;
/** How long everybody has after the last of what is planned until the user gives up, in milliseconds. */
const PATIENCE_MS = 240_000;
/** And until everything has ended then: a silent path is noticed, and its session not resumed. */
const END_MS = 120_000;
/** How often the watch looks, in milliseconds of virtual time. */
const LOOK_EVERY_MS = 1000;
/** As long as a node takes to notice that the other side of a silent connection is gone, and ports to rest, in milliseconds. */
const FORGET_MS = 150_000;
/** As long as circuits are kept ready after the last one was asked for, and then they close, too. */
const READY_MS = 11 * 60_000;
/** Longer than any timer: those of machines that have crashed are cancelled by nobody. */
const TIMERS_END_MS = 25 * 3_600_000;

/** What became of a plan of relays. */
export interface RelayPlayed extends Played {
  readonly tally: RequestTally;
  /** Connections that went on over another link. */
  readonly resumes: number;
  /** Nodes that have lost reputation with an honest one. */
  readonly blamed: readonly number[];
}

/** Plays a plan: connects, asks for connections over relays, sends, breaks what is to break, and looks at every promise. */
export async function playRelays(plan: RelayPlan): Promise<RelayPlayed> {
  const game = new RelayGame(plan);
  const forget = game.watch.install();
  try {
    await game.run();
  } finally {
    forget();
  }
  return game.outcome();
}

class RelayGame {
  readonly network: RelayNetwork;
  readonly watch: RelayWatch;
  readonly #plan: RelayPlan;
  readonly #violations: string[] = [];
  readonly #requests: Requests;
  readonly #faults: Faults;
  #stage = 'nodes start';
  #over = false;
  #resumes = 0;

  constructor(plan: RelayPlan) {
    const report = (violation: string): void => void this.#violations.push(`${this.network.world.clock.now()} ms: ${violation}`);
    this.#plan = plan;
    this.network = new RelayNetwork(plan, ({ node, number }) => {
      if (!(node instanceof RogueNode)) this.#listen(node, number, report);
    });
    this.watch = new RelayWatch(this.network, plan, report);
    this.#requests = new Requests(this.network, plan, report);
    this.#faults = new Faults(this.network, plan.nodes, report);
  }

  async run(): Promise<void> {
    const { world } = this.network;
    try {
      await world.run(this.network.start());
      this.#look();
      this.#stage = 'requests run';
      await world.run(this.#play(), { deadlineMs: HANG_MS });
      if (this.#violations.length === 0) await this.#lookAtRest();
    } catch (error) {
      // Everything that goes wrong in a world is what we look for, the end of its time included.
      this.#violations.push(
        `while ${this.#stage}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        ...this.#requests.unfinished.map((what) => `unfinished: ${what}`),
      );
    }
  }

  outcome(): RelayPlayed {
    const { trace, violations } = this.network.world;
    const all = [...this.#violations, ...violations];
    const { rogues, switches } = this.#plan;
    return {
      steps: trace.steps,
      faults: this.#faults.happened + rogues.length + switches.length,
      violations: all.length === 0 ? [] : [...all, tellRelayPlan(this.#plan)],
      trace: trace.hash,
      tally: this.#requests.tally,
      resumes: this.#resumes,
      blamed: [...this.watch.blamed],
    };
  }

  async #play(): Promise<void> {
    const { clock } = this.network.world;
    this.#faults.inject(this.#plan.faults);
    for (const { node, offMs, onMs } of this.#plan.switches) {
      clock.after(offMs, () => this.#switch(node, false));
      clock.after(onMs, () => this.#switch(node, true));
    }
    const done = this.#requests.run();
    await Promise.race([done, this.#after(LAST_ACT_MS + PATIENCE_MS)]);
    this.#stage = 'connections close';
    await this.#requests.close();
    this.#stage = 'everything ends';
    await Promise.race([done, this.#after(END_MS)]);
    // Who served a stream may hear of its end later than who opened it.
    for (let ms = 0; ms < END_MS && this.#requests.unfinished.length > 0; ms += LOOK_EVERY_MS) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#after(LOOK_EVERY_MS);
    }
    for (const what of this.#requests.unfinished) this.#violations.push(`${clock.now()} ms: hangs although it was closed: ${what}`);
  }

  #switch(number: number, on: boolean): void {
    if (this.network.runs(number) && !this.#plan.unwilling.includes(number)) this.network.honest(number).setRelayEnabled(on);
  }

  /** Honest nodes never end each other's sessions for what was sent. */
  #listen(node: ReturnType<RelayNetwork['honest']>, number: number, report: (violation: string) => void): void {
    node.on('suspended', ({ connection, reason }) => {
      if (isCalm(this.#plan) && reason.code === 'session.path-stalled')
        report(`nothing breaks, and the ${connection.kind} connection ${connection.id} of node ${number} hears nothing any more`);
    });
    node.on('resumed', () => this.#resumes++);
    node.on('disconnected', ({ connection, reason }) => {
      const other = this.network.numberOf(connection.peerId);
      const honest = other !== undefined && !this.#plan.rogues.some((rogue) => rogue.node === other);
      if (honest && (reason.kind === 'peer' || reason.kind === 'bug'))
        report(`the ${connection.kind} connection of node ${number} to node ${other} ended with ${reason.code}: ${reason.message}`);
    });
  }

  #look(): void {
    if (this.#over || this.#violations.length > 0) return;
    this.watch.look();
    this.network.world.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** Nothing may be held once everything is closed. */
  async #lookAtRest(): Promise<void> {
    const { world } = this.network;
    this.#stage = 'nodes forget';
    const kept = this.#plan.circuits.ready > 0 && this.#plan.requests.some(({ way }) => way.kind === 'circuit');
    await world.clock.advance(FORGET_MS + (kept ? READY_MS : 0));
    this.#over = true;
    for (const { node, number } of this.network.lives) {
      if (node instanceof RogueNode) continue;
      const { connections, relayLinkEnds, relayLinks, relayMemory } = node.status();
      if (relayLinkEnds > 0 || relayLinks.length > 0 || relayMemory.takenBytes > 0)
        this.#violations.push(
          `node ${number} still holds ${relayLinkEnds} ends of relay links and ${relayMemory.takenBytes} bytes for them`,
        );
      for (const { id, kind, remote, state } of connections)
        if (kind !== 'direct') this.#violations.push(`node ${number} still has the ${state} ${kind} connection ${id} to ${remote}`);
    }
    this.#stage = 'nodes close';
    await world.run(this.network.close(), { deadlineMs: HANG_MS });
    await world.clock.advance(TIMERS_END_MS);
    for (const { node, number } of this.network.lives)
      if (!(node instanceof RogueNode) && node.connections.length > 0)
        this.#violations.push(`node ${number} is closed and has ${node.connections.length} connections`);
    const wires = world.network.wires();
    for (const { dialler, id, listener } of wires)
      this.#violations.push(`link ${id} from ${dialler.host} to ${listener.host} is still open`);
    if (world.clock.pending > 0) this.#violations.push(`${world.clock.pending} timers are still set`);
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.network.world.clock.after(ms, resolve);
    });
  }
}
