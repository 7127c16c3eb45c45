import { setTimeout as delay } from 'node:timers/promises';
import type { FailoverOptions } from '../options.ts';
import { type Play, secondsSince } from '../play.ts';
import type { Crew } from '../processes/crew.ts';
import type { Worker } from '../processes/worker.ts';
import { formatBytes, formatRate } from '../quantities.ts';
import { NODE_SCRIPT, type NodePlan, loopbackPlan } from '../transfer/node-plan.ts';
import type { NodeCommands } from '../transfer/node-process.ts';
import { type TransferOutcome, runTransfers } from '../transfer/transfer.ts';
import { type Relay, carriersTo } from './carriers.ts';

const [HOST_A, HOST_Z] = ['127.81.0.1', '127.82.0.1'] as const;
/** Relays have the networks from this one on. */
const FIRST_RELAY_NETWORK = 101;
/** What goes the other way meanwhile, as a part of what goes forward. */
const BACK_PART = 1 / 16;
/** Writers pause so often, in a short transfer more than in a long one: it has to last until it is hit in its middle. */
const MAX_PAUSE_CHANCE = 1 / 16;
const PAUSE_CHANCE_BYTES = 4 * 2 ** 20;
const LOOK_INTERVAL_MS = 20;
const CONNECTED_WITHIN_MS = 10_000;
const RELAY = { enabled: true, allowDial: ['loopback'] } as const;

/** What `--json` prints. */
export interface FailoverResult {
  /** That arrived at the destination. */
  readonly bytes: number;
  /** Of both streams: what was read is what was written. */
  readonly sha256Match: boolean;
  /** Relays that were killed while they carried them. */
  readonly kills: number;
  /** Longest time between two pieces that came to the destination. */
  readonly longestPauseMs: number;
  readonly seconds: number;
}

/** How the connection is made, over relays that get killed. */
export interface FailoverShape {
  /** Between both ends. */
  readonly relaysOnPath: number;
  readonly relays: number;
  /** More of how A, and how each relay is started. */
  readonly planOfA?: NodePlan;
  readonly planOfRelay?: NodePlan;
  /** Connects A to Z; returns how A names the connection. */
  connect(a: Worker<NodeCommands>, z: string, relays: readonly Relay[]): Promise<string>;
}

/** The connection of A to Z: who Z is, and how each of them names it. */
interface Line {
  readonly peerId: string;
  readonly idAtA: string;
  readonly idAtZ: string;
}

/** Starts A, Z and relays; while bytes go from A to Z, relays that carry them are killed. */
export class FailoverPlay implements Play<FailoverResult> {
  readonly totalBytes: number;
  readonly #options: FailoverOptions;
  readonly #shape: FailoverShape;
  readonly #crew: Crew;
  readonly #a: Worker<NodeCommands>;
  readonly #z: Worker<NodeCommands>;
  readonly #workers: readonly Worker<NodeCommands>[];
  readonly #backBytes: number;
  #living: readonly Relay[] = [];
  #kills = 0;
  #startedAtMs: number = performance.now();
  #result: FailoverResult | undefined;

  constructor(options: FailoverOptions, shape: FailoverShape, crew: Crew) {
    this.#options = options;
    this.#shape = shape;
    this.#crew = crew;
    this.#backBytes = Math.floor(options.bytes * BACK_PART);
    this.totalBytes = options.bytes + this.#backBytes;
    this.#a = crew.start('A', NODE_SCRIPT);
    this.#z = crew.start('Z', NODE_SCRIPT);
    this.#workers = Array.from({ length: shape.relays }, (_, index) => crew.start<NodeCommands>(`relay ${index + 1}`, NODE_SCRIPT));
  }

  note(): string {
    return `${this.#kills} of ${this.#options.kills} relays killed`;
  }

  async run(): Promise<readonly string[]> {
    const line = await this.#crew.watch(this.#connect());
    this.#startedAtMs = performance.now();
    const over = new AbortController();
    const killing = this.#killInTurn(line.peerId, over.signal);
    // Whoever waits for it is told.
    killing.catch(() => {});
    const [forward, back] = await this.#transfer(line).finally(() => over.abort());
    const seconds = secondsSince(this.#startedAtMs);
    await this.#crew.watch(killing);
    const kills = this.#kills;
    this.#result = {
      bytes: forward.acceptor.receivedBytes,
      sha256Match: forward.sha256Match && back.sha256Match,
      kills,
      longestPauseMs: Math.round(forward.acceptor.longestPauseMs),
      seconds,
    };
    await this.#crew.watch(Promise.all([this.#a.call('close'), this.#z.call('close')]));
    const tooFew = kills < this.#options.kills ? [`only ${kills} of ${this.#options.kills} relays were killed before the end`] : [];
    return [...forward.faults, ...back.faults, ...tooFew];
  }

  result(): FailoverResult {
    return (
      this.#result ?? {
        bytes: this.#receivedBytes,
        sha256Match: false,
        kills: this.#kills,
        longestPauseMs: this.#z.report.figures['longestPauseMs'] ?? 0,
        seconds: secondsSince(this.#startedAtMs),
      }
    );
  }

  summary(): string {
    const { bytes, kills, longestPauseMs, seconds } = this.result();
    const rate = formatRate(bytes / seconds);
    return `${formatBytes(bytes)} from A to Z in ${seconds} s (${rate}), ${kills} relays killed, longest pause ${longestPauseMs} ms`;
  }

  get #receivedBytes(): number {
    return this.#z.report.figures.receivedBytes ?? 0;
  }

  /** Makes every relay a neighbour of all others, and connects A to Z over some of them. */
  async #connect(): Promise<Line> {
    const { planOfA, planOfRelay } = this.#shape;
    const starting = this.#workers.map(async (worker, index): Promise<Relay> => {
      const { peerId, addresses } = await worker.call('start', {
        ...loopbackPlan(`127.${FIRST_RELAY_NETWORK + index}.0.1`),
        relay: RELAY,
        ...planOfRelay,
      });
      return { worker, peerId, address: addresses[0] as string };
    });
    const relays = await Promise.all(starting);
    this.#living = relays;
    const { peerId, addresses } = await this.#z.call('start', { ...loopbackPlan(HOST_Z), relay: { ...RELAY, forward: false } });
    await this.#a.call('start', { ...loopbackPlan(HOST_A), peers: relays.map(({ address }) => address), ...planOfA });
    const meeting = relays.flatMap(({ worker }, index) => relays.slice(0, index).map(({ address }) => worker.call('befriend', address)));
    await Promise.all(meeting);
    const idAtA = await this.#shape.connect(this.#a, addresses[0] as string, relays);
    return { peerId, idAtA, idAtZ: await this.#arrivedAtZ() };
  }

  /** How Z names the connection that has come over a relay link. */
  async #arrivedAtZ(): Promise<string> {
    const deadline = performance.now() + CONNECTED_WITHIN_MS;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const connections = await this.#z.call('connections');
      const found = connections.find(({ kind, role }) => kind !== 'direct' && role === 'responder');
      if (found !== undefined) return found.id;
      if (performance.now() > deadline) throw new Error('the connection did not come to Z');
    }
  }

  async #transfer({ idAtA, idAtZ }: Line): Promise<readonly [forward: TransferOutcome, back: TransferOutcome]> {
    const { seed, bytes } = this.#options;
    const [a, z] = [this.#a, this.#z];
    const common = { backwardBytes: 0, seed, pauseChance: Math.min(MAX_PAUSE_CHANCE, PAUSE_CHANCE_BYTES / bytes) };
    const outcomes = await runTransfers(this.#crew, [
      { ...common, name: 'A to Z', opener: a, acceptor: z, connectionId: idAtA, forwardBytes: bytes },
      { ...common, name: 'Z to A', opener: z, acceptor: a, connectionId: idAtZ, forwardBytes: this.#backBytes },
    ]);
    return outcomes as [TransferOutcome, TransferOutcome];
  }

  /** One after the other is killed, the last hop first, each once all that were killed before have been replaced. */
  async #killInTurn(peerId: string, over: AbortSignal): Promise<void> {
    const { bytes, kills } = this.#options;
    const { relaysOnPath } = this.#shape;
    while (this.#kills < kills && !over.aborted) {
      // What takes over has something left to carry.
      const from = ((this.#kills + 0.5) * bytes) / (kills + 1);
      // oxlint-disable-next-line no-await-in-loop
      const carriers = this.#receivedBytes < from ? [] : await carriersTo(peerId, this.#living);
      if (carriers.length !== relaysOnPath) {
        // oxlint-disable-next-line no-await-in-loop
        await delay(LOOK_INTERVAL_MS);
        continue;
      }
      const victim = carriers[relaysOnPath - 1 - (this.#kills % relaysOnPath)] as Relay;
      this.#living = this.#living.filter((relay) => relay !== victim);
      // oxlint-disable-next-line no-await-in-loop
      await victim.worker.crash();
      this.#kills++;
    }
  }
}
