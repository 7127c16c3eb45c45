import type { Channel, ChannelHandler } from '../channel/channel.ts';
import { serveChannel } from '../channel/receiver.ts';
import { type SourceCommands, sourceCommands } from '../channel/sender.ts';
import { retry } from '../processes/retry.ts';
import { serveRole } from '../processes/role.ts';
import type { Libp2pConnection, Libp2pModules, Libp2pNode, Libp2pStream } from './modules.ts';

// A node of js-libp2p: sender, circuit relay or receiver.

const PROTOCOL = '/bench/1';
/** Circuits over a relay count as limited, also where no limit is set. */
const OPTIONS = { runOnLimitedConnection: true };
const RESERVATION_TIMEOUT_MS = 10_000;

/** What the role answers to. */
export interface Libp2pPeerCommands extends SourceCommands {
  /** Starts a relay; returns its address. */
  relay(entry: string, host: string): Promise<string>;
  /** Starts a receiver that can be reached through the relay; returns the way to it. */
  receiver(entry: string, relay: string): Promise<string>;
  /** Starts a sender and connects it. */
  sender(entry: string, receiver: string): Promise<void>;
}

let connection: Libp2pConnection | undefined;

class Libp2pChannel implements Channel {
  readonly #stream: Libp2pStream;

  constructor(stream: Libp2pStream) {
    this.#stream = stream;
  }

  write(bytes: Uint8Array): boolean {
    return this.#stream.send(bytes);
  }

  end(): void {
    // A stream that is gone already needs no end.
    this.#stream.close().catch(() => {});
  }

  attach(handler: ChannelHandler): void {
    this.#stream.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) handler.data?.(data);
      else for (const bytes of data) handler.data?.(bytes);
    });
    this.#stream.addEventListener('drain', () => handler.writable?.());
    this.#stream.addEventListener('remoteCloseWrite', () => handler.end?.());
    this.#stream.addEventListener('close', ({ error }) => handler.closed?.(error));
  }
}

async function start(
  entry: string,
  build: (modules: Libp2pModules) => object,
): Promise<{ readonly modules: Libp2pModules; readonly node: Libp2pNode }> {
  const modules = (await import(entry)) as Libp2pModules;
  const common = { connectionEncrypters: [modules.noise()], streamMuxers: [modules.yamux()], services: { identify: modules.identify() } };
  return { modules, node: await modules.createLibp2p({ ...common, ...build(modules) }) };
}

serveRole<Libp2pPeerCommands>({
  ...sourceCommands(async () => {
    if (connection === undefined) throw new Error('no connection to open a stream on');
    return new Libp2pChannel(await connection.newStream(PROTOCOL, OPTIONS));
  }),
  async relay(entry, host) {
    const { node } = await start(entry, ({ tcp, identify, circuitRelayServer }) => ({
      addresses: { listen: [`/ip4/${host}/tcp/0`] },
      transports: [tcp()],
      // Its limits of two minutes and 128 KiB are lifted.
      services: { identify: identify(), relay: circuitRelayServer({ reservations: { applyDefaultLimit: false } }) },
    }));
    return String(node.getMultiaddrs()[0]);
  },
  async receiver(entry, relay) {
    const { node } = await start(entry, ({ tcp, circuitRelayTransport }) => ({
      addresses: { listen: [`${relay}/p2p-circuit`] },
      transports: [tcp(), circuitRelayTransport()],
    }));
    await node.handle(PROTOCOL, (stream) => serveChannel(new Libp2pChannel(stream)), OPTIONS);
    await retry(RESERVATION_TIMEOUT_MS, () =>
      node.getMultiaddrs().some((address) => String(address).includes('/p2p-circuit'))
        ? Promise.resolve()
        : Promise.reject(new Error('libp2p: the relay has made no reservation')),
    );
    return `${relay}/p2p-circuit/p2p/${String(node.peerId)}`;
  },
  async sender(entry, receiver) {
    const { modules, node } = await start(entry, ({ tcp, circuitRelayTransport }) => ({ transports: [tcp(), circuitRelayTransport()] }));
    connection = await node.dial(modules.multiaddr(receiver));
  },
});
