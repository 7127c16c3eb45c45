import { type Server, type Socket, createServer } from 'node:net';
import type { Endpoint } from '@matryoshka/wire';
import type { Clock } from '../clock.ts';
import { listenFailed } from '../direct-link.ts';
import { FrameDecoder } from '../frame-decoder.ts';
import type { Accept, Listener } from '../link.ts';
import { socketEndpoint, systemReason } from './socket-endpoint.ts';
import { SocketReader } from './socket-reader.ts';
import { TcpLink } from './tcp-link.ts';
import type { TcpSettings } from './tcp-options.ts';

/** Accepts sockets, waits for their first frame and hands them over as links. Whoever sends anything else gets silence. */
class TcpListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #settings: TcpSettings;
  readonly #accept: Accept;
  /** Sockets without a valid first frame. */
  readonly #strangers = new Set<Socket>();
  /** Sockets of links on which nothing was sent yet. */
  readonly #unanswered = new Set<Socket>();

  constructor(server: Server, endpoint: Endpoint, clock: Clock, settings: TcpSettings, accept: Accept) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#clock = clock;
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
    const full = this.#strangers.size + this.#unanswered.size >= this.#settings.maxUnanswered;
    if (full || local === undefined || remote === undefined) {
      accepted.destroy();
      return;
    }
    const reader = new SocketReader();
    const socket = reader.adopt(accepted);
    this.#strangers.add(socket);
    const silentUntilMs = this.#clock.now() + this.#settings.handshakeTimeoutMs;
    const deadline = this.#clock.after(this.#settings.handshakeTimeoutMs, () => socket.destroy());
    socket.on('close', () => {
      deadline.cancel();
      this.#strangers.delete(socket);
      this.#unanswered.delete(socket);
    });
    // A stranger that resets its connection is no event for anyone.
    socket.on('error', () => {});

    const decoder = new FrameDecoder();
    reader.receive = (chunk) => {
      const first = firstFrame(decoder, chunk);
      if (first === undefined) return;
      // What follows is read and dropped until the deadline.
      if (first === 'invalid') {
        reader.receive = () => {};
        return;
      }
      socket.pause();
      deadline.cancel();
      this.#strangers.delete(socket);
      this.#unanswered.add(socket);
      const answered = (): void => void this.#unanswered.delete(socket);
      const link = new TcpLink({ socket, reader, local, remote, clock: this.#clock, decoder, accepted: { silentUntilMs, answered } });
      this.#accept(link, first);
      decoder.keep();
    };
    socket.resume();
  }
}

function firstFrame(decoder: FrameDecoder, chunk: Uint8Array): Uint8Array | 'invalid' | undefined {
  decoder.feed(chunk);
  try {
    return decoder.next();
  } catch {
    return 'invalid';
  }
}

/** @throws MatryoshkaError `transport.listen-failed` that names the endpoint and the system's reason */
export function listenTcp(on: Endpoint, accept: Accept, clock: Clock, settings: TcpSettings): Promise<Listener> {
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
      resolve(new TcpListener(server, endpoint ?? on, clock, settings, accept));
    });
  });
}
