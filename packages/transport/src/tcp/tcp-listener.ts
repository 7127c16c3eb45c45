import { type Server, type Socket, createServer } from 'node:net';
import type { Endpoint } from '@matryoshka/wire';
import type { Admission } from '../admission.ts';
import { FairTable } from '../admission-table.ts';
import type { Clock } from '../clock.ts';
import { listenFailed } from '../direct-link.ts';
import type { Accept, Listener } from '../link.ts';
import type { ReplayMemory } from '../replay-memory.ts';
import { type FramingContext, StreamFraming } from '../stream-framing.ts';
import { endSilently } from './end-silently.ts';
import { socketEndpoint, systemReason } from './socket-endpoint.ts';
import { SocketReader } from './socket-reader.ts';
import { TcpLink } from './tcp-link.ts';
import type { TcpSettings } from './tcp-options.ts';

/** What the listeners of a transport share. */
export interface ListenContext {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly framing: FramingContext;
  readonly replays: ReplayMemory;
}

/**
 * Accepts sockets, waits for their first message and hands them over as links. Whoever sends anything else, or what somebody
 * has sent before, gets silence.
 */
class TcpListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #framing: FramingContext;
  readonly #replays: ReplayMemory;
  readonly #settings: TcpSettings;
  readonly #accept: Accept;
  /** Sockets without a valid first frame. */
  readonly #strangers = new Set<Socket>();
  /** Those, and links on which nothing was sent yet. */
  readonly #unanswered: FairTable;
  /** Those that are not even looked at. */
  readonly #denied: FairTable;

  constructor(server: Server, endpoint: Endpoint, context: ListenContext, settings: TcpSettings, accept: Accept) {
    const { admission } = context;
    this.#server = server;
    this.endpoint = endpoint;
    this.#clock = context.clock;
    this.#admission = admission;
    this.#framing = context.framing;
    this.#replays = context.replays;
    this.#unanswered = new FairTable(
      () => settings.maxUnanswered,
      () => admission.evicted(),
    );
    this.#denied = new FairTable(() => settings.maxUnanswered);
    this.#settings = settings;
    this.#accept = accept;
    server.on('connection', (socket) => this.#connected(socket));
  }

  async close(): Promise<void> {
    // Links live on, so this does not wait for them; who is no link yet never will be.
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  #connected(accepted: Socket): void {
    const local = socketEndpoint(accepted.localAddress, accepted.localPort);
    const remote = socketEndpoint(accepted.remoteAddress, accepted.remotePort);
    const arrival = local && remote && this.#admission.admit(remote.host);
    if (local === undefined || remote === undefined || arrival === undefined) {
      accepted.destroy();
      return;
    }
    const reader = new SocketReader();
    const socket = reader.adopt(accepted);
    this.#strangers.add(socket);
    const room = arrival.silent ? this.#denied : this.#unanswered;
    const place = room.enter(arrival.network, () => socket.destroy());
    const silentUntilMs = this.#clock.now() + this.#settings.handshakeTimeoutMs;
    const deadline = this.#clock.after(this.#settings.handshakeTimeoutMs, () => {
      reader.receive = () => {};
      endSilently(socket, this.#clock);
    });
    socket.on('close', () => {
      deadline.cancel();
      this.#strangers.delete(socket);
      place.leave();
      arrival.left();
    });
    // A stranger that resets its connection is no event for anyone.
    socket.on('error', () => {});

    // What a reader was told nothing about is read all the same, and dropped.
    if (!arrival.silent) {
      this.#awaitFirst(reader, (framing, first) => {
        socket.pause();
        deadline.cancel();
        this.#strangers.delete(socket);
        const answered = (): void => place.leave();
        const link = new TcpLink({ socket, reader, local, remote, clock: this.#clock, framing, accepted: { silentUntilMs, answered } });
        this.#accept(link, first);
        framing.keep();
      });
    }
    socket.resume();
  }

  #awaitFirst(reader: SocketReader, then: (framing: StreamFraming, first: Uint8Array) => void): void {
    const framing = new StreamFraming(this.#framing, 'accepting');
    reader.receive = (chunk) => {
      const first = this.#firstMessage(framing, chunk);
      if (first === undefined) return;
      // What follows is read and dropped until the deadline.
      if (first === 'invalid') reader.receive = () => {};
      else then(framing, first);
    };
  }

  #firstMessage(framing: StreamFraming, chunk: Uint8Array): Uint8Array | 'invalid' | undefined {
    framing.feed(chunk);
    try {
      const first = framing.next();
      return first !== undefined && this.#replays.seen(framing.nonce as Uint8Array) ? 'invalid' : first;
    } catch {
      return 'invalid';
    }
  }
}

/** @throws MatryoshkaError `transport.listen-failed` that names the endpoint and the system's reason */
export function listenTcp(on: Endpoint, accept: Accept, context: ListenContext, settings: TcpSettings): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    const failed = (error: Error): void => reject(listenFailed(on, systemReason(error), error));
    server.once('error', failed);
    server.listen({ host: on.host, port: on.port }, () => {
      server.off('error', failed);
      // Later errors concern single accepts, e.g. too many open files; the listener goes on.
      server.on('error', () => {});
      const address = server.address();
      const endpoint = typeof address === 'object' ? socketEndpoint(address?.address, address?.port) : undefined;
      resolve(new TcpListener(server, endpoint ?? on, context, settings, accept));
    });
  });
}
