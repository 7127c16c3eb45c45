import type { MatryoshkaNode } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import { DRAIN_MS, LOG_LEVEL } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { type ConfigSources, loadConfig } from '../config/load-config.ts';
import { reportAccepted, reportNode } from '../node-reporter.ts';
import { applyLiveOptions } from './apply-live.ts';
import { DaemonOutput } from './daemon-output.ts';
import { EventLog } from './event-log.ts';
import type { Feature } from './feature.ts';
import { createFeatures } from './features.ts';
import type { Logger } from './logger.ts';
import { makeNode } from './make-node.ts';
import { Metrics } from './metrics.ts';

export interface DaemonParts {
  readonly sources: ConfigSources;
  readonly config: Config;
  readonly logger: Logger;
  /** Writes events to standard output, too. */
  readonly json: boolean;
  /** Asks whoever runs the daemon to stop it. */
  readonly stop: () => void;
}

/** What became of a configuration that was read again. */
export interface ReloadReport {
  /** Keys whose new values count from now on. */
  readonly changed: readonly string[];
  /** Keys whose new values count from the next start on. */
  readonly needRestart: readonly string[];
}

/** A node that runs, what runs on top of it, and its configuration. */
export class Daemon {
  readonly sources: ConfigSources;
  readonly events: EventLog = new EventLog();
  readonly logger: Logger;
  readonly output: DaemonOutput;
  readonly features: readonly Feature[] = createFeatures();
  readonly metrics: Metrics;
  /** In milliseconds since 1970. */
  readonly startedAtMs: number = Date.now();
  /** Asks whoever runs this to stop it. */
  readonly requestStop: () => void;
  /** What the node was started with; of keys that change live, what they are now. */
  #config: Config;
  #node: MatryoshkaNode | undefined;
  #running = new AbortController();
  #needRestart: readonly string[] = [];
  /** Reloads, restarts and the stop come one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopping = false;

  private constructor({ sources, config, logger, json, stop }: DaemonParts) {
    this.sources = sources;
    this.logger = logger;
    this.output = new DaemonOutput(json, this.events, logger);
    this.requestStop = stop;
    this.#config = config;
    this.metrics = new Metrics(this);
  }

  /**
   * Starts the node and what runs on top of it.
   * @param beforeReady - what has to be there before others hear that the node is up
   * @throws whatever is in the way; then nothing runs
   */
  static async start(parts: DaemonParts, beforeReady: (daemon: Daemon) => Promise<void>): Promise<Daemon> {
    const daemon = new Daemon(parts);
    try {
      await daemon.#startNode(parts.config, () => beforeReady(daemon));
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  /** @throws CliError `daemon.restarting` while there is none */
  get node(): MatryoshkaNode {
    if (this.#node === undefined) throw new CliError('daemon.restarting', 'the node is not up yet, or any more', 'try again in a moment');
    return this.#node;
  }

  get config(): Config {
    return this.#config;
  }

  /** Keys that have changed and count from the next start on. */
  get needRestart(): readonly string[] {
    return this.#needRestart;
  }

  /** Reads the configuration again: what can change while the node runs does, the rest is told. @throws CliError `config.…`; then nothing changes */
  reload(): Promise<ReloadReport> {
    return this.#inTurn(async () => {
      const { config } = await loadConfig(this.sources);
      const next = this.#config.withLiveOf(config);
      const changed = this.#config.changesTo(next).map(({ path }) => path);
      const needRestart = next.changesTo(config).map(({ path }) => path);
      applyLiveOptions(this.node, this.#config, next);
      this.logger.level = next.get(LOG_LEVEL);
      for (const feature of this.features) {
        // One after the other: the first that refuses says what is wrong.
        // oxlint-disable-next-line no-await-in-loop
        await feature.reconfigure?.(next);
      }
      this.#config = next;
      this.#needRestart = needRestart;
      this.output.event({ event: 'reloaded', changed, needRestart });
      return { changed, needRestart };
    });
  }

  /** Ends the node in order and starts it with the configuration as it is now. Everything that was open ends. */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      // What is wrong with the configuration is found out while the node runs.
      const { config } = await loadConfig(this.sources);
      const before = this.#config;
      await this.#stopNode();
      try {
        await this.#startNode(config);
      } catch (error) {
        await this.#startNode(before).catch((failure: unknown) => {
          this.logger.error({ err: failure }, 'the node cannot be started again');
          this.requestStop();
        });
        throw error;
      }
      this.logger.level = config.get(LOG_LEVEL);
      this.#config = config;
      this.#needRestart = [];
    });
  }

  /** Waits a while for what is in progress, tells the peers, ends everything. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopping && this.#node !== undefined) this.output.event({ event: 'stopping' });
    this.#stopping = true;
    await this.#turn.catch(() => {});
    await this.#stopNode();
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn
      .catch(() => {})
      .then(() => {
        if (this.#stopping) throw new CliError('daemon.stopping', 'the node is about to stop');
        return run();
      });
    this.#turn = turn;
    return turn;
  }

  async #startNode(config: Config, beforeReady?: () => Promise<void>): Promise<void> {
    this.#running = new AbortController();
    const { signal } = this.#running;
    const keepsData = !this.sources.ephemeral;
    const node = await makeNode(config, {
      keepsData,
      onAccepted: (request) => reportAccepted(this.output, request),
    });
    this.#node = node;
    try {
      await beforeReady?.();
      reportNode(node, this.output);
      for (const feature of this.features) {
        // In order: later ones build on earlier ones.
        // oxlint-disable-next-line no-await-in-loop
        await feature.start({ node, config, output: this.output, keepsData, signal });
      }
    } catch (error) {
      await this.#stopNode();
      throw error;
    }
  }

  async #stopNode(): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    const drained = Promise.all(this.features.map(async (feature) => feature.drain?.()));
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, this.#config.get(DRAIN_MS)).unref())]);
    this.#node = undefined;
    this.#running.abort();
    for (const feature of this.features.toReversed()) {
      // oxlint-disable-next-line no-await-in-loop
      await feature.stop();
    }
    await node.close();
  }
}
