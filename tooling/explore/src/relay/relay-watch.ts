import type { RelayMessage, Session } from '@matryoshka/peer';
import { RelayService, type ServedLink } from '@matryoshka/relay';
import { CarrierGraph, type NodeView } from './carrier-graph.ts';
import { BLAMED, type RelayPlan } from './relay-plan.ts';
import type { Life, RelayNetwork } from './relay-network.ts';
import { RogueNode } from './rogue-node.ts';

/** Control messages that may wait for one session, in bytes (docs/protocol.md §11). */
const MAX_CONTROL_BYTES = 8 * 1024 * 1024;
/**
 * A session that is carried by itself has to be found out by its silence (docs/protocol.md §8.1): liveness, and the grace
 * period of a resume, in milliseconds.
 */
const MAX_CYCLE_MS = 60_000;

/** Looks at what no single node can promise, in the middle of everything. */
export class RelayWatch {
  readonly #network: RelayNetwork;
  readonly #plan: RelayPlan;
  readonly #report: (violation: string) => void;
  /** What relay services have to do with. */
  readonly #views = new Map<RelayService, { readonly sessions: Set<Session>; readonly served: Iterable<ServedLink> }>();
  readonly #blamed = new Set<number>();
  #cycle: { readonly told: string; readonly sinceMs: number } | undefined;

  constructor(network: RelayNetwork, plan: RelayPlan, report: (violation: string) => void) {
    this.#network = network;
    this.#plan = plan;
    this.#report = report;
  }

  /** Nodes that have lost reputation somewhere. */
  get blamed(): ReadonlySet<number> {
    return this.#blamed;
  }

  /** Finds the relay service of every node by the messages that it is handed, until the function returned is called. */
  install(): () => void {
    const { prototype } = RelayService;
    // oxlint-disable-next-line typescript/unbound-method -- called with its own `this`
    const original = prototype.message;
    const note = (service: RelayService, session: Session): void => this.#note(service, session);
    prototype.message = function (this: RelayService, session: Session, message: RelayMessage): void {
      note(this, session);
      original.call(this, session, message);
    };
    return () => void (prototype.message = original);
  }

  look(): void {
    const running = new Map(this.#network.lives.map((life) => [life.policy as unknown, life]));
    const views: NodeView[] = [];
    for (const [service, view] of this.#views) {
      const life = running.get(service.options.policy);
      if (life === undefined) {
        // It has crashed, and nothing of it is there any more.
        this.#views.delete(service);
        continue;
      }
      for (const session of view.sessions) if (!session.sending) view.sessions.delete(session);
      views.push({ sessions: view.sessions, served: service.served });
      this.#lookAtMemory(service, view.sessions, life);
    }
    this.#lookForCycles(views);
    for (const life of this.#network.lives) this.#lookAtBlame(life);
  }

  #note(service: RelayService, session: Session): void {
    const view = this.#views.get(service);
    if (view === undefined) this.#views.set(service, { sessions: new Set([session]), served: service.served });
    else view.sessions.add(session);
  }

  #lookAtMemory(service: RelayService, sessions: ReadonlySet<Session>, { node, number }: Life): void {
    if (node instanceof RogueNode) return;
    const { takenBytes, totalBytes } = service.pool;
    if (takenBytes > totalBytes) this.#report(`node ${number} took ${takenBytes} of ${totalBytes} bytes for relaying`);
    let queued = 0;
    for (const { downstream, upstream } of service.served) {
      if (downstream === undefined) continue;
      for (const [side, other] of [
        [upstream, downstream],
        [downstream, upstream],
      ] as const) {
        queued += side.egress.pendingBytes;
        if (side.egress.pendingBytes > other.window.size)
          this.#report(`node ${number} queues ${side.egress.pendingBytes} bytes of a relay link with a window of ${other.window.size}`);
      }
    }
    if (queued > totalBytes) this.#report(`node ${number} queues ${queued} bytes for relaying`);
    for (const { outbox } of sessions)
      if (outbox.controlBytes > MAX_CONTROL_BYTES)
        this.#report(`node ${number} has ${outbox.controlBytes} bytes of control messages waiting`);
  }

  /** Only who misbehaved towards a neighbour itself loses reputation with it (principle 6). */
  #lookAtBlame({ node, number }: Life): void {
    if (node instanceof RogueNode) return;
    for (const { peerId, score } of node.access().reputations) {
      const blamed = this.#network.numberOf(peerId);
      if (blamed !== undefined) this.#blamed.add(blamed);
      const rogue = this.#plan.rogues.find((candidate) => candidate.node === blamed);
      if (rogue?.vices.some((vice) => BLAMED.has(vice)) !== true)
        this.#report(`node ${number} blames node ${blamed}, which is ${rogue === undefined ? 'honest' : rogue.vices.join(', ')}: ${score}`);
    }
  }

  #lookForCycles(views: readonly NodeView[]): void {
    const nowMs = this.#network.world.clock.now();
    const told = new CarrierGraph(views).cycle();
    if (told === undefined) this.#cycle = undefined;
    else if (this.#cycle?.told !== told) this.#cycle = { told, sinceMs: nowMs };
    else if (nowMs - this.#cycle.sinceMs > MAX_CYCLE_MS) this.#report(`a session carries itself since ${this.#cycle.sinceMs} ms: ${told}`);
  }
}
