import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { Daemon } from '../daemon/daemon.ts';
import { type Door, checkDoor } from './guard.ts';
import type { Control } from './control.ts';
import type { Page } from './page.ts';
import { ControlError, problemOf } from './problem.ts';
import { findRoute, readParts } from './read-request.ts';
import type { Route, RouteRequest, ServerEvent } from './route.ts';

/** Connections at once on each way in. */
const MAX_CONNECTIONS = 256;
const HEADERS_TIMEOUT_MS = 10_000;
/** What a reader of events may leave unread before it is let go, in bytes. */
const MAX_UNREAD_BYTES: number = 1024 * 1024;
/** What is read of a body that is not wanted, in bytes and milliseconds. */
const MAX_UNWANTED_BYTES: number = 16 * 1024 * 1024;
const UNWANTED_MS = 2_000;
/** Keeps what is in between from taking an event stream for dead, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

export interface ServerParts {
  readonly daemon: Daemon;
  readonly control: Control;
  /** Served besides, to whoever may come in. */
  readonly page?: Page;
  readonly routes: readonly Route[];
  /** Where requests to this server come in; asked for each. */
  readonly door: () => Door;
  /** Aborts when the daemon stops: answers that have no end have one then. */
  readonly signal: AbortSignal;
}

/** Answers requests of the control API; listening is up to whoever makes it. */
export function createControlServer(parts: ServerParts): Server {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0, keepAliveTimeout: 5_000 }, (message, response) => {
    void answer(parts, message, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  // A body is sent once it is known to be wanted.
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => void answer(parts, message, response, true));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    const body = JSON.stringify(problemOf(new ControlError(status, 'control.malformed', 'this is no HTTP request that can be read')));
    socket.end(
      `HTTP/1.1 ${status} Malformed\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  return server;
}

async function answer(parts: ServerParts, message: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  try {
    const { page } = parts;
    // As it was sent: no other spelling of a path leads to the page.
    const [path = '/'] = (message.url ?? '/').split('?', 1);
    if (page?.has(message.method, path) === true) {
      checkDoor(parts.door(), message, 'page');
      await page.write(path, response);
    } else {
      checkDoor(parts.door(), message);
      const url = new URL(message.url ?? '/', 'http://localhost');
      const found = findRoute(parts.routes, message.method ?? '', url.pathname);
      if (expectsContinue) response.writeContinue();
      const request = {
        ...(await readParts(found, url, message)),
        daemon: parts.daemon,
        control: parts.control,
        message,
        signal: AbortSignal.any([gone.signal, parts.signal]),
      };
      await writeAnswer(found.route, request as RouteRequest<never, never, never>, response);
    }
  } catch (error) {
    // Who waits to be asked for its body does not send it.
    if (!expectsContinue) await letGo(message);
    writeProblem(parts.daemon, error, response);
  }
  // What is left of a body that nobody wants.
  if (!message.complete) message.resume();
}

async function writeAnswer(route: Route, request: RouteRequest<never, never, never>, response: ServerResponse): Promise<void> {
  const { answer: kind } = route;
  const result = await route.handle(request);
  if (kind.type === 'events') await writeEvents(result as AsyncIterable<ServerEvent>, request.signal, response);
  else if (kind.type === 'nothing') response.writeHead(204).end();
  else if (kind.type === 'text') response.writeHead(200, { 'Content-Type': kind.contentType }).end(String(result));
  else response.writeHead(kind.status ?? 200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(result)}\n`);
}

function writeProblem(daemon: Daemon, error: unknown, response: ServerResponse): void {
  const problem = problemOf(error);
  if (problem.status >= 500 && problem.code === 'bug') daemon.logger.error({ err: error }, 'a request of the control API failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  if (problem.status === 401) headers['WWW-Authenticate'] = 'Bearer';
  // A body that was not read to its end is in the way of the next request.
  if (!response.req.complete) headers.Connection = 'close';
  response.writeHead(problem.status, headers).end(`${JSON.stringify(problem)}\n`);
}

/** Reads on what is not wanted, up to a limit: who is cut off while it sends does not hear why. */
async function letGo(message: IncomingMessage): Promise<void> {
  if (message.complete || message.destroyed) return;
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  let length = 0;
  message.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length > MAX_UNWANTED_BYTES) resolve();
  });
  message.once('close', resolve).once('end', resolve);
  const timer = setTimeout(resolve, UNWANTED_MS);
  await enough;
  clearTimeout(timer);
}

/** Server-sent events; a failure in their middle is the last of them. */
async function writeEvents(events: AsyncIterable<ServerEvent>, signal: AbortSignal, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(':\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const { id, event, data } of events) {
      response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (response.writableLength > MAX_UNREAD_BYTES) {
        response.destroy();
        return;
      }
    }
  } catch (error) {
    if (!signal.aborted) response.write(`event: problem\ndata: ${JSON.stringify(problemOf(error))}\n\n`);
  } finally {
    clearInterval(keepAlive);
  }
  if (response.writable) {
    response.end();
    if (!response.writableFinished) await once(response, 'close');
  }
}
