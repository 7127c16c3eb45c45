import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { Control } from '../../src/control/control.ts';
import { ControlError } from '../../src/control/problem.ts';
import { type Route, route } from '../../src/control/route.ts';
import type { Daemon } from '../../src/daemon/daemon.ts';
import { EventLog } from '../../src/daemon/event-log.ts';
import type { NamedEvent } from '../../src/events.ts';
import { FakeNetwork, type Plan } from './fake-network.ts';

export interface FakeOptions extends Plan {
  /** Where it listens again after it was stopped; 0: any free port. */
  readonly port?: number;
  readonly token?: string;
  /** Names of the first peers, where it is a demo. */
  readonly demo?: readonly string[];
}

/**
 * The real control API, page and content security policy included, of a node that is made up: as large, as hostile and as
 * often gone as a test needs it.
 */
export class FakeNode implements AsyncDisposable {
  readonly network: FakeNetwork;
  readonly events: EventLog = new EventLog();
  /** Of the page, with the token. */
  readonly url: string;
  readonly #folder: string;
  readonly #control: Control;

  private constructor(network: FakeNetwork, events: EventLog, url: string, folder: string, control: Control) {
    this.network = network;
    this.events = events;
    this.url = url;
    this.#folder = folder;
    this.#control = control;
  }

  static async start({ port = 0, token = 'a-token-for-tests-of-the-page-only', demo, ...plan }: FakeOptions): Promise<FakeNode> {
    const folder = mkdtempSync(join(tmpdir(), 'matryoshka-page-'));
    writeFileSync(join(folder, 'control.token'), token, { mode: 0o600 });
    const { config } = await loadConfig({
      folders: { data: folder, configFile: join(folder, 'config.toml') },
      environment: {},
      flags: [{ path: 'control.listen', value: `127.0.0.1:${port}`, flag: '--set' }],
      fileNeeded: false,
      ephemeral: false,
    });
    const network = new FakeNetwork(plan);
    const events = new EventLog();
    const daemon = fakeDaemon(network, events, config);
    const control = await Control.start(daemon, { routes: demo === undefined ? [] : demoRoutes(network, demo) });
    const { url } = await control.openDashboard();
    return new FakeNode(network, events, url, folder, control);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  tell(event: object): void {
    this.events.publish(event as NamedEvent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function fakeDaemon(network: FakeNetwork, events: EventLog, config: Config): Daemon {
  const { access, acceptAnonymous, maxHandshakes } = config.effectiveNodeOptions() as unknown as Record<string, unknown>;
  const node = {
    peerId: network.self,
    status: () => network.status(),
    access: () => ({
      access,
      acceptAnonymous,
      maxHandshakes,
      openConnections: network.peers.length,
      refusals: { 'relay.rate-limited': 12, 'session.refused': 3 },
      reputations: network.peers.slice(0, 1).map((peerId) => ({ peerId, score: 82 })),
    }),
  };
  const daemon = { node, events, config, needRestart: [], startedAtMs: Date.now(), features: [], logger: console };
  return daemon as unknown as Daemon;
}

/** As the living demo has them. */
function demoRoutes(network: FakeNetwork, names: readonly string[]): readonly Route[] {
  const relays = names.map((name, index) => ({ name, peerId: network.peers[index] as string, endpoint: `10.0.${index}.1:9700` }));
  return [
    route({
      method: 'GET',
      path: '/demo',
      name: 'demo',
      summary: 'The relays of the demo',
      answer: { type: 'json', schema: z.looseObject({}) },
      handle: () => ({
        relays: relays.map((relay) => ({ ...relay, state: network.gone.has(relay.peerId) ? 'down' : 'running' })),
        names: Object.fromEntries(relays.map(({ name, peerId }) => [peerId, name])),
      }),
    }),
    route({
      method: 'POST',
      path: '/demo/kill',
      name: 'kill',
      summary: 'Kills one of them',
      body: z.strictObject({ peerId: z.string() }),
      answer: { type: 'nothing' },
      handle: ({ body: { peerId } }) => {
        if (!relays.some((relay) => relay.peerId === peerId))
          throw new ControlError(404, 'demo.unknown-relay', 'it is no relay of this demo');
        network.gone.add(peerId);
      },
    }),
  ];
}
