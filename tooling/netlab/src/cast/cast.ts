import { Crew, NODE_SCRIPT, type NodeCommands, type NodePlan, type Worker } from '@matryoshka/e2e';
import type { Lab } from '../lab/lab.ts';

/** The port of every node in a lab. */
export const PORT = 999;
/** How long nothing may move, in milliseconds: longer than it takes to notice that a host has disappeared. */
const PATIENCE_MS = 60_000;

/** A node on a host. */
export interface Member {
  readonly name: string;
  readonly worker: Worker<NodeCommands>;
  readonly peerId: string;
  /** `peerId@host:port`, of its first address. Empty where it listens nowhere. */
  readonly address: string;
}

/** The nodes of a lab, each a process on its host. */
export class Cast implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #crew = new Crew(PATIENCE_MS, () => {});

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  get crew(): Crew {
    return this.#crew;
  }

  /** Starts a node that listens on every address of its host and relays, unless `plan` says otherwise. */
  async start(name: string, plan: NodePlan = {}): Promise<Member> {
    const host = this.#lab.host(name);
    const worker = this.#crew.start<NodeCommands>(name, NODE_SCRIPT, () => {}, host.within);
    const { peerId, addresses } = await worker.call('start', { listen: host.places(PORT), relay: { enabled: true }, ...plan });
    return { name, worker, peerId, address: addresses[0] ?? '' };
  }

  /** The same for several at once. */
  startAll(names: readonly string[], plan?: NodePlan): Promise<readonly Member[]> {
    return Promise.all(names.map((name) => this.start(name, plan)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew.close();
  }
}
