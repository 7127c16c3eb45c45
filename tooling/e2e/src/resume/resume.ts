import { parseEndpoint } from '@matryoshka/node';
import type { ResumeOptions } from '../options.ts';
import { type Play, secondsSince } from '../play.ts';
import type { Crew } from '../processes/crew.ts';
import type { Worker } from '../processes/worker.ts';
import { formatBytes, formatRate } from '../quantities.ts';
import { NODE_SCRIPT, loopbackPlan } from '../transfer/node-plan.ts';
import type { NodeCommands, ResumedEvent } from '../transfer/node-process.ts';
import { type TransferOutcome, runTransfers } from '../transfer/transfer.ts';
import type { ProxyCommands } from './proxy-process.ts';

const [HOST_A, HOST_B, HOST_PROXY] = ['127.61.0.1', '127.62.0.1', '127.63.0.1'] as const;
/** What goes the other way meanwhile, as a part of what goes forward. */
const BACK_PART = 1 / 16;

/** What `--json` prints. */
export interface ResumeResult {
  /** That arrived at B. */
  readonly bytes: number;
  /** Of both streams: what was read is what was written. */
  readonly sha256Match: boolean;
  readonly kills: number;
  /** Longest time between two pieces that came to B. */
  readonly longestPauseMs: number;
  readonly seconds: number;
}

/** Starts A, B and the proxy between them, which kills their TCP connection again and again. */
export function startResume(options: ResumeOptions, crew: Crew): Play<ResumeResult> {
  return new ResumePlay(options, crew);
}

class ResumePlay implements Play<ResumeResult> {
  readonly totalBytes: number;
  readonly #options: ResumeOptions;
  readonly #crew: Crew;
  readonly #a: Worker<NodeCommands>;
  readonly #b: Worker<NodeCommands>;
  readonly #proxy: Worker<ProxyCommands>;
  readonly #backBytes: number;
  #startedAtMs: number = performance.now();
  #result: ResumeResult | undefined;

  constructor(options: ResumeOptions, crew: Crew) {
    this.#options = options;
    this.#crew = crew;
    this.#backBytes = Math.floor(options.bytes * BACK_PART);
    this.totalBytes = options.bytes + this.#backBytes;
    const proxy = crew.start<ProxyCommands>('proxy', new URL('proxy-process.ts', import.meta.url));
    this.#proxy = proxy;
    this.#a = crew.start('A', NODE_SCRIPT);
    this.#b = crew.start('B', NODE_SCRIPT, (event) => {
      // That the proxy has died is told elsewhere.
      proxy.call('arrived', (event as ResumedEvent).receivedBytes).catch(() => {});
    });
  }

  note(): string {
    return `${this.#proxy.report.figures['kills'] ?? 0} of ${this.#options.kills} kills`;
  }

  async run(): Promise<readonly string[]> {
    const connectionId = await this.#crew.watch(this.#connect());
    this.#startedAtMs = performance.now();
    const [forward, back] = await this.#transfer(connectionId);
    const seconds = secondsSince(this.#startedAtMs);
    const kills = await this.#crew.watch(this.#proxy.call('killed'));
    this.#result = {
      bytes: forward.acceptor.receivedBytes,
      sha256Match: forward.sha256Match && back.sha256Match,
      kills,
      longestPauseMs: Math.round(forward.acceptor.longestPauseMs),
      seconds,
    };
    await this.#crew.watch(Promise.all([this.#a.call('close'), this.#b.call('close')]));
    const tooFew = kills < this.#options.kills ? [`only ${kills} of ${this.#options.kills} kills happened`] : [];
    return [...forward.faults, ...back.faults, ...tooFew];
  }

  result(): ResumeResult {
    return (
      this.#result ?? {
        bytes: this.#b.report.figures.receivedBytes ?? 0,
        sha256Match: false,
        kills: this.#proxy.report.figures['kills'] ?? 0,
        longestPauseMs: this.#b.report.figures['longestPauseMs'] ?? 0,
        seconds: secondsSince(this.#startedAtMs),
      }
    );
  }

  summary(): string {
    const { bytes, kills, longestPauseMs, seconds } = this.result();
    const rate = formatRate(bytes / seconds);
    return `${formatBytes(bytes)} from A to B in ${seconds} s (${rate}), ${kills} kills, longest pause ${longestPauseMs} ms`;
  }

  /** Connects A to B through the proxy; returns how A names the connection. */
  async #connect(): Promise<string> {
    const { seed, kills, bytes } = this.#options;
    const { peerId, addresses } = await this.#b.call('start', loopbackPlan(HOST_B));
    const { host, port } = parseEndpoint((addresses[0] as string).slice(peerId.length + 1));
    const [proxyPort] = await Promise.all([
      this.#proxy.call('start', HOST_PROXY, { host, port }, { seed, kills, bytes }),
      this.#a.call('start', loopbackPlan(HOST_A)),
    ]);
    const { id } = await this.#a.call('connect', `${peerId}@${HOST_PROXY}:${proxyPort}`, {});
    await this.#proxy.call('arm');
    return id;
  }

  async #transfer(connectionId: string): Promise<readonly [forward: TransferOutcome, back: TransferOutcome]> {
    const { seed, bytes } = this.#options;
    const connections = await this.#crew.watch(this.#b.call('connections'));
    const [a, b] = [this.#a, this.#b];
    const common = { backwardBytes: 0, seed, pauseChance: 0 };
    const outcomes = await runTransfers(this.#crew, [
      { ...common, name: 'A to B', opener: a, acceptor: b, connectionId, forwardBytes: bytes },
      { ...common, name: 'B to A', opener: b, acceptor: a, connectionId: connections[0]?.id ?? '', forwardBytes: this.#backBytes },
    ]);
    return outcomes as [TransferOutcome, TransferOutcome];
  }
}
