import { type Connection, MatryoshkaError } from '@matryoshka/node';
import { seededRandom } from '@matryoshka/simulation';
import { Pattern } from '../play/pattern.ts';
import { TransferSide } from '../play/transfer-side.ts';
import type { Life, RelayNetwork } from './relay-network.ts';
import { type RelayPlan, type RequestPlan, isCalm, isSure, lacksNetworks } from './relay-plan.ts';
import { RogueNode } from './rogue-node.ts';

/** A request over relays has an outcome within this time (docs/protocol.md §8.1), in milliseconds, each hop of a circuit within as much. */
const OUTCOME_MS = 60_000;
/** What a request may end with where nothing breaks: there is nobody to ask, or too much was asked. */
const CALM_REFUSALS: ReadonlySet<string> = new Set([
  'relay.busy',
  // Whose connection it was may close it.
  'relay.carrier-lost',
  'relay.destination-unreachable',
  'relay.disabled',
  'relay.loop',
  'relay.no-peers-available',
  'relay.port-in-use',
  'relay.rate-limited',
  'node.peer-unknown',
]);

/** What became of the requests of a plan. */
export interface RequestTally {
  readonly opened: number;
  /** Streams of which every byte arrived, both ways. */
  readonly completed: number;
  /** What was refused or failed, by code. */
  readonly failures: ReadonlyMap<string, number>;
}

/** The requests of a plan, and what is sent over the connections that come of them. */
export class Requests {
  readonly #network: RelayNetwork;
  readonly #plan: RelayPlan;
  readonly #report: (violation: string) => void;
  readonly #connections = new Set<Connection>();
  /** What is under way, for people. */
  readonly #running = new Map<object, () => string>();
  readonly #failures = new Map<string, number>();
  readonly #closing = new AbortController();
  #opened = 0;
  #completed = 0;

  constructor(network: RelayNetwork, plan: RelayPlan, report: (violation: string) => void) {
    this.#network = network;
    this.#plan = plan;
    this.#report = report;
  }

  get tally(): RequestTally {
    return { opened: this.#opened, completed: this.#completed, failures: this.#failures };
  }

  get unfinished(): readonly string[] {
    return [...this.#running.values()].map((tell) => tell());
  }

  /** Every request at its time; resolves when each has an outcome and all streams are closed. */
  async run(): Promise<void> {
    await Promise.all(this.#plan.requests.map((request, number) => this.#request(request, number)));
  }

  /** The user gives up whatever is still under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    const lives = new Set(this.#network.lives.map(({ node }) => node));
    const open = [...this.#connections].filter((connection) => lives.has(this.#owners.get(connection)?.node as RogueNode));
    await Promise.all(open.map((connection) => connection.close()));
  }

  readonly #owners = new Map<Connection, Life>();

  async #request(request: RequestPlan, number: number): Promise<void> {
    const { clock } = this.#network.world;
    await this.#after(request.atMs);
    // A node that is down asks for nothing.
    if (!this.#network.runs(request.from)) return;
    const life = this.#network.life(request.from);
    const token = {};
    const sinceMs = clock.now();
    this.#running.set(token, () => `request ${number} of node ${request.from}, made at ${sinceMs} ms`);
    const hops = hopsOf(request);
    const overdue = clock.after(hops * OUTCOME_MS, () => {
      if (!life.machine.crashed) this.#report(`request ${number} has no outcome after ${hops * OUTCOME_MS} ms`);
    });
    try {
      const connection = await this.#whileAlive(life, this.#network.connect(request, this.#closing.signal));
      overdue.cancel();
      if (connection === undefined) return;
      this.#opened++;
      this.#owners.set(connection, life);
      await this.#use(request, number, connection, life);
    } catch (error) {
      this.#failed(`request ${number}`, error, lacksNetworks(this.#plan, request) ? 'circuit.no-path' : undefined);
    } finally {
      overdue.cancel();
      this.#running.delete(token);
    }
  }

  async #use(request: RequestPlan, number: number, connection: Connection, life: Life): Promise<void> {
    this.#connections.add(connection);
    const { closeAfterMs, transfers } = request;
    let closed = false;
    if (closeAfterMs !== undefined) {
      life.machine.clock.after(closeAfterMs, () => {
        closed = true;
        void connection.close();
      });
    }
    await Promise.all(transfers.map((transfer, i) => this.#transfer(request, transfer, `${number}/${i}`, connection, life, () => !closed)));
    await this.#whileAlive(life, connection.close());
    this.#connections.delete(connection);
  }

  async #transfer(
    { from, to }: RequestPlan,
    { opener, server, startMs }: RequestPlan['transfers'][number],
    name: string,
    connection: Connection,
    life: Life,
    wanted: () => boolean,
  ): Promise<void> {
    const [number = 0, i = 0] = name.split('/').map(Number);
    const own = 4 * number + 2 * i;
    const common = { clock: life.machine.clock, report: this.#report };
    let failed = false;
    const onFailure = (side: string) => (error: MatryoshkaError) => {
      failed = true;
      if (wanted()) this.#failed(`stream ${name}, ${side}`, error);
    };
    const near = new TransferSide({
      ...common,
      name: `stream ${name}, opened by node ${from}`,
      plan: opener,
      sends: new Pattern(own),
      receives: new Pattern(own + 1),
      expected: server.length,
      random: seededRandom(this.#plan.seed * 1024 + own),
      failed: onFailure('opened'),
    });
    const far = new TransferSide({
      ...common,
      clock: this.#network.life(to).machine.clock,
      name: `stream ${name}, served by node ${to}`,
      plan: server,
      sends: new Pattern(own + 1),
      receives: new Pattern(own),
      expected: opener.length,
      random: seededRandom(this.#plan.seed * 1024 + own + 1),
      failed: onFailure('served'),
    });
    this.#running.set(near, () => near.state);
    const served = this.#serve(to, `/transfer/${name}`, far);
    try {
      if (startMs > 0) await this.#whileAlive(life, this.#after(startMs));
      const stream = await this.#whileAlive(life, connection.openStream(`/transfer/${name}`));
      if (stream === undefined) failed = true;
      else {
        near.start(stream);
        await this.#whileAlive(life, near.closedOnce);
      }
    } catch (error) {
      failed = true;
      if (wanted()) this.#failed(`stream ${name}`, error);
    }
    this.#running.delete(near);
    await served();
    if (!failed) this.#completed++;
  }

  /** Serves one stream; the function returned waits for its end, if it has come to this side at all. */
  #serve(number: number, protocol: string, side: TransferSide): () => Promise<void> {
    const life = this.#network.life(number);
    let closed: Promise<void> = Promise.resolve();
    // Who misbehaves serves nothing, and says so.
    const { node } = life;
    if (node instanceof RogueNode) return () => closed;
    node.serve(protocol, (stream) => {
      this.#running.set(side, () => side.state);
      closed = this.#whileAlive(life, side.closedOnce).then(() => void this.#running.delete(side));
      side.start(stream);
    });
    return () => closed;
  }

  /** @param right - what the request has to end with */
  #failed(what: string, error: unknown, right?: MatryoshkaError['code']): void {
    if (!(error instanceof MatryoshkaError)) {
      this.#report(`${what}: ${String(error)}`);
      return;
    }
    const { code } = error;
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
    // What the user gave up is their own affair.
    if (this.#closing.signal.aborted && (code === 'aborted' || code === 'closed')) return;
    const reason = code === 'circuit.extend-failed' && error.cause instanceof MatryoshkaError ? error.cause.code : code;
    const survives = isSure(this.#plan) && what.startsWith('stream');
    if (code === 'bug') this.#report(`${what}: ${error.stack ?? error.message}`);
    else if (survives) this.#report(`${what} failed with ${code} where everything heals: ${error.message}`);
    else if (isCalm(this.#plan) && !CALM_REFUSALS.has(reason) && reason !== right)
      this.#report(`${what} failed with ${code} (${reason}) where nothing breaks: ${error.message}`);
  }

  /** What `promise` resolves with; undefined where the node of that life crashes before. */
  async #whileAlive<T>({ crashed }: Life, promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, crashed.then(() => undefined)]);
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#network.world.clock.after(ms, resolve);
    });
  }
}

/** Hops that are asked for one after the other. */
function hopsOf({ way }: RequestPlan): number {
  if (way.kind === 'telescoped') return way.path.length + 1;
  return way.kind === 'circuit' ? way.hops : 1;
}
