import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MatryoshkaNode } from '@matryoshka/node';
import { loadConfig } from '../../config/load-config.ts';
import { Control } from '../../control/control.ts';
import type { Route } from '../../control/route.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { createLogger } from '../../daemon/logger.ts';
import type { TimedEvent } from '../../events.ts';
import { ORIGINATOR } from '../cast.ts';

export interface NodeAParts {
  /** Where it has its socket and its token. */
  readonly folder: string;
  readonly identityFile: string;
  /** `peerId@host:port` each. */
  readonly peers: readonly string[];
  /** Of the dashboard; 0: any free one. */
  readonly port: number;
  /** Of the control API besides those of every node. */
  readonly routes: readonly Route[];
  /** Somebody asks for the end of it, over the control API. */
  readonly stop: () => void;
}

/** A as a daemon with a control API, like that of `matryoshka up`, in the process of the demo. */
export class NodeA implements AsyncDisposable {
  readonly #daemon: Daemon;
  readonly #control: Control;

  private constructor(daemon: Daemon, control: Control) {
    this.#daemon = daemon;
    this.#control = control;
  }

  /** @throws CliError `control.listen-failed`, and whatever else is in the way */
  static async start({ folder, identityFile, peers, port, routes, stop }: NodeAParts): Promise<NodeA> {
    mkdirSync(folder, { mode: 0o700 });
    const settings: Readonly<Record<string, unknown>> = {
      identityFile,
      peers,
      'listen': [`${ORIGINATOR.host}:0`],
      'dialFrom': ORIGINATOR.host,
      'control.listen': `127.0.0.1:${port}`,
      // Relays are killed here for fun: guards that rest for minutes after that would soon be none.
      'circuits.entryGuards': 0,
      'drainMs': 0,
      'log.level': 'silent',
    };
    const sources = {
      folders: { data: folder, configFile: join(folder, 'config.toml') },
      // Whatever is configured on this machine is none of the demo's.
      environment: {},
      flags: Object.entries(settings).map(([path, value]) => ({ path, value, flag: 'the demo' })),
      fileNeeded: false,
      ephemeral: true,
    };
    const { config } = await loadConfig(sources);
    const logger = createLogger({ level: 'silent', format: 'text', time: false });
    let control: Control | undefined;
    const daemon = await Daemon.start({ sources, config, logger, json: false, stop }, async (starting) => {
      control = await Control.start(starting, { routes });
    });
    return new NodeA(daemon, control as unknown as Control);
  }

  /** @throws CliError while it is started anew */
  get node(): MatryoshkaNode {
    return this.#daemon.node;
  }

  /** The address of its dashboard, with the token. */
  async dashboard(): Promise<string> {
    return (await this.#control.openDashboard()).url;
  }

  /** Hears what happens to it. */
  listen(hear: (event: TimedEvent) => void): void {
    this.#daemon.events.listen(({ event }) => hear(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#daemon.stop(), this.#control[Symbol.asyncDispose]()]);
  }
}
