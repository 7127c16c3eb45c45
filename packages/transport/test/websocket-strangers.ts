import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type Socket, connect, createServer } from 'node:net';
import type { Endpoint } from '@matryoshka/wire';
import { expect } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../src/clock.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Accept, Link, Listener } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { type WebSocketOptions, websocket } from '../src/websocket/index.node.ts';
import { TEST_CERT, TEST_KEY } from './websocket-certificate.ts';
import { cleanups } from './standing-clock.ts';

export const ANY_PORT: Endpoint = { transport: 'ws', host: '127.0.0.1', port: 0 };
export const FIRST = Uint8Array.of(1, 2, 3);
export const LISTENING: WebSocketOptions = { handshakeTimeoutMs: 200, maxUnanswered: 3, cert: TEST_CERT, key: TEST_KEY };

export interface Listening {
  readonly clock?: Clock;
  readonly on?: Endpoint;
  readonly options?: WebSocketOptions;
}

export async function listen(accept: Accept, { clock = systemClock, on = ANY_PORT, options = {} }: Listening = {}): Promise<Listener> {
  const listener = await websocket({ ...LISTENING, ...options })({ clock }).listen!(on, accept);
  cleanups.push(() => listener.close());
  return listener;
}

/** A link that a listener accepted, with its owner. */
export function acceptance(): { accept: Accept; link: Promise<Link>; owner: Recorder } {
  const { promise, resolve } = Promise.withResolvers<Link>();
  const owner = new Recorder();
  const accept: Accept = (link) => {
    cleanups.push(() => link.close());
    link.attach(owner);
    resolve(link);
  };
  return { accept, link: promise, owner };
}

/** A stranger with a socket of its own. */
export async function stranger(to: Endpoint): Promise<{ socket: Socket; got: () => string; ended: Promise<string> }> {
  const socket = connect({ host: to.host, port: to.port });
  cleanups.push(() => socket.destroy());
  let got = '';
  const ended = new Promise<string>((resolve) => {
    socket
      .on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
      .on('end', () => resolve('end'))
      .on('error', (error) => resolve(error.message));
  });
  await once(socket, 'connect');
  return { socket, got: () => got, ended };
}

/** The request for a WebSocket, as it should be, or changed. */
export function upgradeRequest({
  path = '/matryoshka',
  headers = {},
}: { path?: string; headers?: Record<string, string | undefined> } = {}): string {
  const all: Record<string, string | undefined> = {
    'Host': 'x',
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'chat, matryoshka',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One frame (RFC 6455 §5.2), masked with zeros as a client's must be. */
export function frame(firstByte: number, payload: Uint8Array, announced: number = payload.length): Uint8Array {
  const length =
    announced < 126 ? [announced] : announced < 65_536 ? [126, announced >> 8, announced & 255] : [127, 0, 0, 0, 0, ...u32(announced)];
  return Uint8Array.of(firstByte, (length[0] as number) | 0x80, ...length.slice(1), 0, 0, 0, 0, ...payload);
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export const TEXT = 0x81;
export const BINARY = 0x82;
export const BINARY_TO_BE_CONTINUED = 0x02;
export const CONTINUED = 0x00;
export const PING = 0x89;

/** A stranger whose WebSocket is open. */
export async function upgraded(to: Endpoint): Promise<Awaited<ReturnType<typeof stranger>>> {
  const it = await stranger(to);
  it.socket.write(upgradeRequest());
  while (!it.got().endsWith('\r\n\r\n')) await once(it.socket, 'data');
  expect(it.got()).toMatch(/^HTTP\/1\.1 101 /);
  return it;
}

/** A WebSocket server that is none of ours, at our path. */
export async function foreignServer(
  connected: (socket: WebSocket, request: IncomingMessage) => void,
  subprotocol = 'matryoshka',
): Promise<Endpoint> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => subprotocol, perMessageDeflate: true });
  server.on('connection', connected);
  cleanups.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  return { ...ANY_PORT, port: (server.address() as { port: number }).port };
}

/** A server without WebSockets. */
export async function rawServer(connected: (socket: Socket) => void): Promise<Endpoint> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    connected(socket);
  }).listen(0, '127.0.0.1');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return { ...ANY_PORT, port: (server.address() as { port: number }).port };
}
