import { type IncomingMessage, type ServerResponse, createServer as createHttpServer, STATUS_CODES } from 'node:http';
import { type Server, type Socket, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Endpoint } from '@matryoshka/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Admission } from '../admission.ts';
import { FairTable, type Place } from '../admission-table.ts';
import type { Clock, Timer } from '../clock.ts';
import { listenFailed } from '../direct-link.ts';
import type { Accept, Listener } from '../link.ts';
import { systemReason } from '../tcp/socket-endpoint.ts';
import type { NodeWebSocketSettings } from './node-options.ts';
import { websocketEndpoint } from './websocket-endpoint.ts';
import { WebSocketLink } from './websocket-link.ts';
import { SUBPROTOCOL } from './websocket-protocol.ts';
import { WS_LIMITS, WsSocket } from './ws-socket.ts';

/** Longest head of an HTTP request, in bytes. */
const MAX_HEADER_LENGTH = 8192;

/** An accepted socket without a first message. */
interface Stranger {
  readonly carrier: Socket;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly silentUntilMs: number;
  readonly deadline: Timer;
  readonly place: Place;
}

/**
 * Accepts sockets, answers HTTP requests for anything but its WebSockets with an error, waits for the first message of
 * a WebSocket and hands it over as a link. One deadline and one bound hold from the socket to the link's first send,
 * whatever the stranger is at: TLS, HTTP or the WebSocket.
 */
class WsListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #settings: NodeWebSocketSettings;
  readonly #accept: Accept;
  // Listens on nothing: it is handed its sockets.
  readonly #http = createHttpServer({ maxHeaderSize: MAX_HEADER_LENGTH });
  readonly #upgrader = new WebSocketServer({ ...WS_LIMITS, noServer: true, clientTracking: false, handleProtocols: () => SUBPROTOCOL });
  /** By what HTTP runs over: the socket itself, or TLS on it. */
  readonly #strangers = new Map<Duplex, Stranger>();
  /** Those, and links on which nothing was sent yet. */
  readonly #unanswered: FairTable;
  /** Those that are not even looked at. */
  readonly #denied: FairTable;

  constructor(server: Server, endpoint: Endpoint, clock: Clock, admission: Admission, settings: NodeWebSocketSettings, accept: Accept) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#admission = admission;
    this.#unanswered = new FairTable(
      () => settings.maxUnanswered,
      () => admission.evicted(),
    );
    this.#denied = new FairTable(() => settings.maxUnanswered);
    this.#settings = settings;
    this.#accept = accept;
    server.on('connection', (socket) => this.#connected(socket));
    this.#http.on('request', answer).on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head));
  }

  async close(): Promise<void> {
    // Links live on, so this does not wait for them; who is no link yet never will be.
    this.#server.close();
    for (const { carrier } of this.#strangers.values()) carrier.destroy();
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  #connected(carrier: Socket): void {
    const { transport } = this.endpoint;
    const local = websocketEndpoint(transport, carrier.localAddress, carrier.localPort);
    const remote = websocketEndpoint(transport, carrier.remoteAddress, carrier.remotePort);
    const arrival = local && remote && this.#admission.admit(remote.host);
    if (local === undefined || remote === undefined || arrival === undefined) {
      carrier.destroy();
      return;
    }
    const silentUntilMs = this.#clock.now() + this.#settings.handshakeTimeoutMs;
    const deadline = this.#clock.after(this.#settings.handshakeTimeoutMs, () => carrier.destroy());
    // A stranger that resets its connection is no event for anyone.
    carrier.on('error', () => {});
    const stream = arrival.silent ? carrier.resume() : this.#secured(carrier);
    const room = arrival.silent ? this.#denied : this.#unanswered;
    const place = room.enter(arrival.network, () => carrier.destroy());
    this.#strangers.set(stream, { carrier, local, remote, silentUntilMs, deadline, place });
    carrier.on('close', () => {
      deadline.cancel();
      this.#strangers.delete(stream);
      place.leave();
      arrival.left();
    });
    if (!arrival.silent) this.#http.emit('connection', stream);
  }

  #secured(carrier: Socket): Socket {
    const { secureContext } = this.#settings;
    if (this.endpoint.transport === 'ws' || secureContext === undefined) return carrier;
    const stream = new TLSSocket(carrier, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    return stream.on('error', () => carrier.destroy()).on('close', () => carrier.destroy());
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const stranger = this.#strangers.get(stream);
    if (stranger === undefined) return void stream.destroy();
    const status = this.#refusal(request);
    if (status !== undefined) return refuse(stream, status);
    this.#upgrader.handleUpgrade(request, stream, head, (socket) => this.#upgraded(socket, stream, stranger));
  }

  /** What a request for a WebSocket is refused with, if it is; RFC 6455 §4.2 itself is left to `ws`. */
  #refusal({ url, headers }: IncomingMessage): number | undefined {
    if (url?.replace(/\?.*$/, '') !== this.#settings.path) return 404;
    const { origins } = this.#settings;
    if (origins !== undefined && headers.origin !== undefined && !origins.has(headers.origin)) return 403;
    const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
    return offered?.includes(SUBPROTOCOL) === true ? undefined : 400;
  }

  #upgraded(webSocket: WebSocket, stream: Duplex, { local, remote, silentUntilMs, deadline, place }: Stranger): void {
    const socket = new WsSocket(webSocket, stream as Socket);
    const message = (first: Uint8Array): void => {
      deadline.cancel();
      this.#strangers.delete(stream);
      const answered = (): void => place.leave();
      const link = new WebSocketLink({ socket, local, remote, clock: this.#clock, accepted: { silentUntilMs, answered } });
      this.#accept(link, first);
    };
    // Whoever begins with anything but a message was told so by the WebSocket's close; the deadline does the rest.
    socket.attach({ message, progressed() {}, flushed() {}, ended() {} });
  }
}

/** A request that is none for a WebSocket (RFC 9110 §15.5.22). */
function answer(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'Upgrade': 'websocket', 'Connection': 'upgrade, close', 'Content-Length': 0 }).end();
}

function refuse(stream: Duplex, status: number): void {
  stream.once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** @throws MatryoshkaError `transport.listen-failed` that names the endpoint and the system's reason */
export async function listenWs(
  on: Endpoint,
  accept: Accept,
  clock: Clock,
  admission: Admission,
  settings: NodeWebSocketSettings,
): Promise<Listener> {
  if (on.transport === 'wss' && settings.secureContext === undefined)
    throw listenFailed(on, 'wss needs a certificate: options cert and key');
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true });
    const failed = (error: Error): void => reject(listenFailed(on, systemReason(error), error));
    server.once('error', failed);
    server.listen({ host: on.host, port: on.port }, () => {
      server.off('error', failed);
      // Later errors concern single accepts, e.g. too many open files; the listener goes on.
      server.on('error', () => {});
      const address = server.address();
      const endpoint = typeof address === 'object' ? websocketEndpoint(on.transport, address?.address, address?.port) : undefined;
      resolve(new WsListener(server, endpoint ?? on, clock, admission, settings, accept));
    });
  });
}
