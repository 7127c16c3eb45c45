import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectOptions } from '@matryoshka/node';
import { ORIGINATOR, OTHERS, type Role } from '../cast.ts';
import { DemoError, messageOf } from '../demo-error.ts';
import { identityFile } from '../identity-file.ts';
import type { Network } from '../network.ts';
import { Conversation } from './conversation.ts';
import { demoRoutes } from './demo-routes.ts';
import { EchoServer } from './echo-server.ts';
import { NodeA } from './node-a.ts';
import { RelayKeeper } from './relay-keeper.ts';
import { FIRST_RELAYS, StayingNodes } from './staying-nodes.ts';
import { runTraffic } from './traffic.ts';

/** Whom A talks with, and how it gets there. */
const WAYS: readonly { readonly kind: string; readonly destination: string; readonly options: ConnectOptions }[] = [
  { kind: 'relayed', destination: 'D', options: { hops: 3 } },
  { kind: 'telescoped', destination: 'E', options: { circuit: { hops: 4 } } },
];

/** How long A waits for the descriptors of the relays, in milliseconds. */
const KNOWN_WITHIN_MS = 10_000;
const LOOK_INTERVAL_MS = 50;
/** What nodes have told is forgotten so often, in milliseconds: nobody asks for it any more. */
const FORGET_INTERVAL_MS = 60_000;

export interface StayOptions {
  /** Where everything is that the demo writes. */
  readonly folder: string;
  /** Of the dashboard; 0: any free one. */
  readonly port: number;
  readonly reviveAfterMs: number;
}

export interface StayParts {
  readonly network: Network;
  /** Tells people one line. */
  readonly say: (line: string) => void;
  /** Is told the address of the dashboard once it can be opened. */
  readonly onReady: (url: string) => void;
  /** Somebody asks for the end over the control API. */
  readonly stop: () => void;
  /** Aborts when all of it shall end. */
  readonly signal: AbortSignal;
}

/** Keeps the network of the demo alive, with a dashboard of A and something to be seen on it. */
export class Stay implements AsyncDisposable {
  readonly #options: StayOptions;
  readonly #nodes: StayingNodes;
  readonly #echo: EchoServer;

  private constructor(options: StayOptions, nodes: StayingNodes, echo: EchoServer) {
    this.#options = options;
    this.#nodes = nodes;
    this.#echo = echo;
  }

  /**
   * What has to be there before the nodes are started.
   * @throws DemoError where the port of the dashboard is taken
   */
  static async prepare(options: StayOptions): Promise<Stay> {
    await checkPort(options.port);
    const echo = await EchoServer.start();
    return new Stay(options, await StayingNodes.prepare(options.folder, echo.port), echo);
  }

  /** The more arguments of a node. */
  argumentsOf(role: Role): readonly string[] {
    return this.#nodes.argumentsOf(role);
  }

  /** Runs until the signal aborts; the network still stands then. */
  async run({ network, say, onReady, stop, signal }: StayParts): Promise<void> {
    const { folder, port, reviveAfterMs } = this.#options;
    const keeper = new RelayKeeper(
      network,
      reviveAfterMs,
      {
        killed: (name) => say(`${name} was killed; it is started again in ${reviveAfterMs / 1000} s`),
        ended: (why) => say(`${why}; it is started again in ${reviveAfterMs / 1000} s`),
        revived: (name) => say(`${name} is back`),
        notRevived: (name, error) => say(`${name} did not come up again: ${messageOf(error)}; it is tried again`),
      },
      signal,
    );
    const a = await NodeA.start({
      folder: join(folder, ORIGINATOR.name),
      identityFile: identityFile(folder, ORIGINATOR.name),
      peers: FIRST_RELAYS.map((name) => network.member(name).address),
      port,
      routes: demoRoutes(keeper),
      stop,
    });
    await knowsRelays(a, signal);
    onReady(await a.dashboard());
    const talking = Promise.all(WAYS.map((way) => this.#talk(way, a, network, say, signal)));
    const forgetting = setInterval(() => network.forget(), FORGET_INTERVAL_MS);
    if (!signal.aborted) await once(signal, 'abort');
    clearInterval(forgetting);
    // What is being said ends with A.
    await a[Symbol.asyncDispose]();
    await talking;
  }

  /** Background traffic one way until the signal aborts. */
  async #talk(
    { kind, destination, options }: (typeof WAYS)[number],
    a: NodeA,
    network: Network,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const conversation = new Conversation({ kind, destination, names: network.names, say });
    a.listen((event) => conversation.hear(event));
    await runTraffic({
      node: () => a.node,
      to: network.member(destination).address,
      options,
      onConnected: (connection) => conversation.connected(connection),
      onMessage: () => conversation.message(),
      onLost: (error) => conversation.lost(error),
      signal,
    });
    conversation.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#echo[Symbol.asyncDispose]();
  }
}

/** A has the descriptors of all relays, which the first ones give it; without them it goes on all the same, after a while. */
async function knowsRelays(a: NodeA, signal: AbortSignal): Promise<void> {
  const relays = OTHERS.filter(({ meshed }) => meshed).length;
  const deadlineMs = performance.now() + KNOWN_WITHIN_MS;
  while (a.node.directory.list().length < relays && performance.now() < deadlineMs && !signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** Found out now rather than when everything else is there. */
async function checkPort(port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen({ host: '127.0.0.1', port }), 'listening');
  } catch (error) {
    throw new DemoError(
      `port ${port} of 127.0.0.1 is not to be had for the dashboard (${(error as Error).message}): name another with --port`,
      {
        cause: error,
      },
    );
  } finally {
    server.close();
  }
}
