import type { IncomingMessage } from 'node:http';
import { ControlError, invalidPart } from './problem.ts';
import type { Route, RouteRequest } from './route.ts';

/** The longest JSON that is read, in bytes. */
const MAX_BODY_LENGTH: number = 256 * 1024;

type Parts = Pick<RouteRequest<unknown, unknown, unknown>, 'params' | 'query' | 'body'>;

/** A route for a path, and what stands in the places of its names. */
export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request.
 * @throws ControlError `control.unknown-path`, `control.unknown-method` with what is allowed there
 */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const found = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  const exact = found.find(({ route }) => route.method === method);
  if (exact !== undefined) return exact;
  if (found.length === 0)
    throw new ControlError(
      404,
      'control.unknown-path',
      `there is nothing at ${path.slice(0, 200)}`,
      'GET /openapi.json lists what is there',
    );
  const allowed = found.map(({ route }) => route.method).join(', ');
  throw new ControlError(405, 'control.unknown-method', `${method} is not possible at ${path.slice(0, 200)}`, `possible are ${allowed}`);
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split('/');
  const parts = path.split('/');
  if (parts.length !== expected.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, name] of expected.entries()) {
    const part = parts[index] ?? '';
    if (name.startsWith('{')) params[name.slice(1, -1)] = decoded(part);
    else if (name !== part) return undefined;
  }
  return params;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ControlError(400, 'control.invalid', `${JSON.stringify(part.slice(0, 80))} is no part of a path: its escapes are wrong`);
  }
}

/** Reads and checks everything that the route asks for. @throws ControlError `control.invalid`, `control.too-long`, `control.not-json` */
export async function readParts({ route, params }: Found, url: URL, message: IncomingMessage): Promise<Parts> {
  const query = checked('query', route.query, Object.fromEntries(url.searchParams));
  return {
    params: checked('path', route.params, params),
    query,
    body: route.body === undefined || route.body === 'bytes' ? undefined : checked('body', route.body, await readJson(message)),
  };
}

function checked(part: string, schema: Route['params'] | Exclude<Route['body'], 'bytes'>, value: unknown): unknown {
  const result = schema?.safeParse(value);
  if (result?.success === false) throw invalidPart(part, result.error, value);
  return result?.data;
}

async function readJson(message: IncomingMessage): Promise<unknown> {
  // A form that a page sends to anywhere has another type.
  if (!/^application\/json *(;|$)/i.test(message.headers['content-type'] ?? ''))
    throw new ControlError(415, 'control.not-json', 'the body has to be of the type application/json');
  const text = await readBody(message);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ControlError(400, 'control.not-json', `the body is no JSON: ${(error as Error).message}`);
  }
}

async function readBody(message: IncomingMessage): Promise<string> {
  const tooLong = (): ControlError => new ControlError(413, 'control.too-long', `the body is longer than ${MAX_BODY_LENGTH} bytes`);
  if (Number(message.headers['content-length'] ?? 0) > MAX_BODY_LENGTH) throw tooLong();
  const pieces: Buffer[] = [];
  let length = 0;
  // Not ended with the loop: the answer goes the same way.
  for await (const piece of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_BODY_LENGTH) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
