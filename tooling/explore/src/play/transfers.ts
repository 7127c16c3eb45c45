import type { Connection } from '@matryoshka/node';
import { seededRandom } from '@matryoshka/simulation';
import type { Network } from './network.ts';
import { Pattern } from './pattern.ts';
import type { Plan, TransferPlan } from './plan.ts';
import { TransferSide } from './transfer-side.ts';

/** The streams of a plan, over connections that are open. */
export class Transfers {
  readonly #network: Network;
  readonly #plan: Plan;
  readonly #report: (violation: string) => void;
  /** The connections at the side that accepted them, by number; undefined where it did not get to know of one. */
  readonly #accepted: {
    readonly promise: Promise<Connection | undefined>;
    readonly resolve: (connection: Connection | undefined) => void;
  }[];
  readonly #sides = new Set<TransferSide>();

  constructor(network: Network, plan: Plan, report: (violation: string) => void) {
    this.#network = network;
    this.#plan = plan;
    this.#report = report;
    this.#accepted = plan.connections.map(() => Promise.withResolvers());
  }

  /** What is under way and not done, for people. */
  get unfinished(): readonly string[] {
    return [...this.#sides].map(({ state }) => state);
  }

  /** Runs them all; resolves when every stream is closed at both ends. */
  async run(connections: readonly Connection[]): Promise<void> {
    await Promise.all(
      this.#plan.transfers.map((transfer, number) => this.#run(transfer, number, connections[transfer.connection] as Connection)),
    );
  }

  async #run(transfer: TransferPlan, number: number, connection: Connection): Promise<void> {
    const { from, to } = this.#plan.connections[transfer.connection] as Plan['connections'][number];
    const [openerNode, serverNode] = transfer.reverse ? [to, from] : [from, to];
    const opener = this.#side(transfer, number, true, openerNode);
    const server = this.#side(transfer, number, false, serverNode);
    const protocol = `/transfer/${number}`;
    const unserve = this.#network.node(serverNode).serve(protocol, (stream, accepted) => {
      if (!transfer.reverse) this.#accepted[transfer.connection]?.resolve(accepted);
      server.start(stream);
    });
    if (transfer.startMs > 0) await this.#after(transfer.startMs);
    try {
      const by = transfer.reverse ? await this.#accepted[transfer.connection]?.promise : connection;
      // Who accepted the connection was never told of it: that was reported already.
      if (by === undefined) return;
      opener.start(await by.openStream(protocol));
      await Promise.all([opener.closedOnce, server.closedOnce]);
    } catch (error) {
      this.#accepted[transfer.connection]?.resolve(undefined);
      this.#report(`stream ${number} could not be opened: ${String(error)}`);
    } finally {
      this.#sides.delete(opener);
      this.#sides.delete(server);
      unserve();
    }
  }

  #side({ opener, server }: TransferPlan, number: number, opens: boolean, node: number): TransferSide {
    const [mine, theirs] = opens ? [opener, server] : [server, opener];
    const own = 2 * number + (opens ? 0 : 1);
    const side = new TransferSide({
      name: `stream ${number}, ${opens ? 'opened' : 'served'} by node ${node}`,
      plan: mine,
      sends: new Pattern(own),
      receives: new Pattern(own ^ 1),
      expected: theirs.length,
      clock: this.#network.world.clock,
      random: seededRandom(this.#plan.seed * 1024 + own),
      report: this.#report,
    });
    this.#sides.add(side);
    return side;
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#network.world.clock.after(ms, resolve);
    });
  }
}
