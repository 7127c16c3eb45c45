import { setTimeout as delay } from 'node:timers/promises';
import { PeerProcess } from './peer-process.ts';
import type { ProgramKeeperCommands } from './program-keeper.ts';
import type { BaseCommands, Commands, Usage } from './role.ts';

/** How long a failed call waits for the news that really another process died. */
const DEATH_GRACE_MS = 300;

/** The processes of one side of a comparison: they are measured together, fail together and end together. */
export class ProcessGroup {
  readonly name: string;
  readonly #profileFolder: string | undefined;
  readonly #peers: PeerProcess<BaseCommands>[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #failure: Error | undefined;

  /** @param profileFolder - where each process leaves a CPU profile when it ends */
  constructor(name: string, profileFolder?: string) {
    this.name = name;
    this.#profileFolder = profileFolder;
    // Whoever waits for something is told; nobody has to wait.
    this.#failed.promise.catch(() => {});
  }

  /** Starts one more process, with further options of Node if given. */
  start<C extends Commands<C>>(name: string, script: URL, nodeOptions: readonly string[] = []): PeerProcess<C> {
    return this.#start(name, script, [...nodeOptions, ...this.#profileOptions(name)], 'SIGKILL');
  }

  /** Starts a process that keeps programs which are not ours. */
  startKeeper(): PeerProcess<ProgramKeeperCommands> {
    return this.#start('programs', new URL('program-keeper.ts', import.meta.url), [], 'SIGTERM');
  }

  /** Waits for `work`. @throws Error what it failed with, or the death of a process of the group, which explains more */
  async watch<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#failed.promise]);
    } catch (error) {
      if (this.#failure === undefined) await delay(DEATH_GRACE_MS);
      throw this.#failure ?? error;
    }
  }

  /** What each process has used so far, by its name. */
  async usage(): Promise<ReadonlyMap<string, Usage>> {
    const reports = await this.watch(Promise.all(this.#peers.map(async (peer) => [peer.name, await peer.call('usage')] as const)));
    return new Map(
      reports.flatMap(([name, report]) => ('programs' in report ? Object.entries(report.programs) : [[name, report] as const])),
    );
  }

  /** Ends every process; resolves when all are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.leave()));
  }

  #start<C extends Commands<C>>(name: string, script: URL, nodeOptions: readonly string[], lastSignal: NodeJS.Signals): PeerProcess<C> {
    const peer = new PeerProcess<C & BaseCommands>({
      name,
      script,
      nodeOptions,
      lastSignal,
      onDied: (error) => {
        this.#failure ??= error;
        this.#failed.reject(error);
      },
    });
    this.#peers.push(peer);
    return peer;
  }

  #profileOptions(name: string): readonly string[] {
    if (this.#profileFolder === undefined) return [];
    const file = `${this.name} ${name}.cpuprofile`.replaceAll(/[^\w.-]+/g, '-');
    return ['--cpu-prof', `--cpu-prof-dir=${this.#profileFolder}`, `--cpu-prof-name=${file}`];
  }
}
