import type { ConnectOptions } from '@matryoshka/node';
import { randomBelow } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import type { StressOptions } from '../options.ts';
import { type Play, secondsSince } from '../play.ts';
import type { Crew } from '../processes/crew.ts';
import type { Worker } from '../processes/worker.ts';
import { formatBytes, formatRate } from '../quantities.ts';
import { NODE_SCRIPT, loopbackPlan } from '../transfer/node-plan.ts';
import type { NodeCommands } from '../transfer/node-process.ts';
import { type Transfer, runTransfers } from '../transfer/transfer.ts';

/** A, B, C and D, each in a /16 of its own. */
const NODES = [
  { name: 'A', host: '127.71.0.1' },
  { name: 'B', host: '127.72.0.1' },
  { name: 'C', host: '127.73.0.1' },
  { name: 'D', host: '127.74.0.1' },
] as const;
/** Writers and readers pause after one write or piece of so many. */
const PAUSE_CHANCE = 1 / 64;
const CONNECTED_WITHIN_MS = 10_000;

/** What `--json` prints. */
export interface StressResult {
  /** That arrived, over all streams and in both directions. */
  readonly bytes: number;
  /** Of all of them: what was read is what was written. */
  readonly sha256Match: boolean;
  readonly errors: number;
  readonly seconds: number;
}

/** Starts A, B, C and D; A and D exchange bytes through B and C, relayed and telescoped. */
export function startStress(options: StressOptions, crew: Crew): Play<StressResult> {
  return new StressPlay(options, crew);
}

/** A connection from A to D, and how each of them names it. */
interface Line {
  readonly kind: 'relayed' | 'telescoped';
  readonly idAtA: string;
  readonly idAtD: string;
}

class StressPlay implements Play<StressResult> {
  readonly totalBytes: number;
  readonly #options: StressOptions;
  readonly #crew: Crew;
  readonly #nodes: readonly Worker<NodeCommands>[];
  #startedAtMs: number = performance.now();
  #result: StressResult | undefined;

  constructor(options: StressOptions, crew: Crew) {
    this.#options = options;
    this.#crew = crew;
    this.totalBytes = options.bytes;
    this.#nodes = NODES.map(({ name }) => crew.start<NodeCommands>(name, NODE_SCRIPT));
  }

  note(): string {
    return `${this.#options.streams * 2} streams`;
  }

  async run(): Promise<readonly string[]> {
    const lines = await this.#crew.watch(this.#connect());
    this.#startedAtMs = performance.now();
    const outcomes = await runTransfers(this.#crew, this.#transfers(lines));
    const seconds = secondsSince(this.#startedAtMs);
    const faults = [...outcomes.flatMap((outcome) => outcome.faults), ...(await this.#crew.watch(this.#relayFaults()))];
    this.#result = {
      bytes: outcomes.reduce((sum, { opener, acceptor }) => sum + opener.receivedBytes + acceptor.receivedBytes, 0),
      sha256Match: outcomes.every(({ sha256Match }) => sha256Match),
      errors: faults.length,
      seconds,
    };
    await this.#crew.watch(Promise.all(this.#nodes.map((node) => node.call('close'))));
    return faults;
  }

  result(): StressResult {
    return (
      this.#result ?? {
        bytes: this.#crew.receivedBytes,
        sha256Match: false,
        // It did not come to its end.
        errors: 1,
        seconds: secondsSince(this.#startedAtMs),
      }
    );
  }

  summary(): string {
    const { bytes, errors, seconds } = this.result();
    return `${formatBytes(bytes)} between A and D in ${seconds} s (${formatRate(bytes / seconds)}), ${errors} errors`;
  }

  /** Makes a relayed and a telescoped connection from A to D. */
  async #connect(): Promise<readonly Line[]> {
    const [a, b, , d] = this.#nodes as [Worker<NodeCommands>, Worker<NodeCommands>, Worker<NodeCommands>, Worker<NodeCommands>];
    const { relayMemoryBytes } = this.#options;
    const relay = { enabled: true, allowDial: ['loopback'], relayMemoryBytes } as const;
    // A serves nothing: it is no candidate for a next hop.
    const starting = this.#nodes.map((node, i) => {
      const plan = loopbackPlan((NODES[i] as (typeof NODES)[number]).host);
      return node.call('start', node === a ? plan : { ...plan, relay });
    });
    const addresses = (await Promise.all(starting)).map((started) => started.addresses[0]) as [string, string, string, string];
    // Each relay has only the next one as its neighbour, so that there is one way to go.
    await a.call('befriend', addresses[1]);
    await b.call('befriend', addresses[2]);
    const lines: Line[] = [];
    const ways: readonly (readonly [Line['kind'], ConnectOptions])[] = [
      ['relayed', { hops: 3, gateway: addresses[1] }],
      ['telescoped', { path: [addresses[1], addresses[2]] }],
    ];
    for (const [kind, options] of ways) {
      // One after the other: the newest connection at D is this one.
      // oxlint-disable-next-line no-await-in-loop
      const { id, kind: made } = await a.call('connect', addresses[3], options);
      if (made !== kind) throw new Error(`the connection is ${made}, not ${kind}`);
      // oxlint-disable-next-line no-await-in-loop
      lines.push({ kind, idAtA: id, idAtD: await this.#arrivedAt(d, lines) });
    }
    return lines;
  }

  /** How D names the connection that has come over a relay link and is not among `lines`. */
  async #arrivedAt(d: Worker<NodeCommands>, lines: readonly Line[]): Promise<string> {
    const known = new Set(lines.map(({ idAtD }) => idAtD));
    const deadline = performance.now() + CONNECTED_WITHIN_MS;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const connections = await d.call('connections');
      const found = connections.find(({ id, kind, role }) => kind !== 'direct' && role === 'responder' && !known.has(id));
      if (found !== undefined) return found.id;
      if (performance.now() > deadline) throw new Error('the connection did not come to D');
    }
  }

  /** As many streams on each connection as asked for, opened by turns from either end, unequal in both directions. */
  #transfers(lines: readonly Line[]): readonly Transfer[] {
    const { seed, streams, bytes } = this.#options;
    const random = seededRandom(seed);
    const [a, d] = [this.#nodes[0], this.#nodes[3]] as [Worker<NodeCommands>, Worker<NodeCommands>];
    const places = lines.flatMap((line) => Array.from({ length: streams }, (_, number) => ({ line, number })));
    return places.map(({ line: { kind, idAtA, idAtD }, number }, index) => {
      const share = Math.floor(bytes / places.length) + (index < bytes % places.length ? 1 : 0);
      const forwardBytes = Math.floor((share * randomBelow(random, 101)) / 100);
      const ends = number % 2 === 0 ? { opener: a, acceptor: d, connectionId: idAtA } : { opener: d, acceptor: a, connectionId: idAtD };
      return {
        ...ends,
        name: `${kind} ${number + 1}`,
        forwardBytes,
        backwardBytes: share - forwardBytes,
        seed: seed + index,
        pauseChance: PAUSE_CHANCE,
      };
    });
  }

  /** Every byte went through both relays, and their memory stayed within its bound. */
  async #relayFaults(): Promise<readonly string[]> {
    const relays = this.#nodes.slice(1, 3);
    const figures = await Promise.all(relays.map((relay) => relay.call('relayed')));
    return figures.flatMap(({ bytes, mostTakenBytes, totalBytes }, i) => {
      const { name } = relays[i] as Worker<NodeCommands>;
      const bypassed = bytes < this.totalBytes ? [`${name} forwarded ${bytes} bytes only, of ${this.totalBytes}`] : [];
      const exceeded = mostTakenBytes > totalBytes ? [`${name} granted credit for ${mostTakenBytes} bytes, of ${totalBytes}`] : [];
      return [...bypassed, ...exceeded];
    });
  }
}
