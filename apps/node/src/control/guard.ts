import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ControlError } from './problem.ts';

/** Where a request has come in. */
export type Door =
  /** The local socket: the system lets only its owner connect. */
  | { readonly kind: 'socket' }
  /** Loopback TCP: every program on the machine can connect, and every page in a browser on it can try. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly token: string };

/** Names a client may have for the local socket, which has none. */
const SOCKET_HOSTS = new Set(['localhost', 'matryoshka']);

/**
 * Refuses whoever has no business here, before anything of the request is looked at.
 *
 * | | local socket | loopback TCP |
 * |---|---|---|
 * | `Host` | `localhost` | an address or `localhost`, with the port listened on; anything else is a name that was made to point here |
 * | `Origin` | none: no browser comes this way | that of the API itself |
 * | `Sec-Fetch-Site` | none | `same-origin` or `none` |
 * | `Authorization` | not looked at | `Bearer` and the token |
 * @throws ControlError `control.wrong-host`, `control.wrong-origin`, `control.unauthorized`
 */
export function checkDoor(door: Door, { headers }: Pick<IncomingMessage, 'headers'>): void {
  const hosts = door.kind === 'socket' ? SOCKET_HOSTS : tcpHosts(door);
  const host = headers.host?.toLowerCase();
  if (host === undefined || !hosts.has(host))
    throw new ControlError(
      421,
      'control.wrong-host',
      `this is not ${host === undefined ? 'a nameless host' : JSON.stringify(host)}`,
      `ask it as ${[...hosts].join(' or ')}`,
    );
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const ownOrigin = origin === undefined || (door.kind === 'tcp' && tcpHosts(door).has(origin.replace(/^http:\/\//, '')));
  if (!ownOrigin || (site !== undefined && (door.kind === 'socket' || !['same-origin', 'none'].includes(String(site)))))
    throw new ControlError(403, 'control.wrong-origin', 'pages of other origins are not answered');
  if (door.kind === 'tcp' && !hasToken(headers.authorization, door.token))
    throw new ControlError(401, 'control.unauthorized', 'the token is missing or wrong', 'send it as "Authorization: Bearer TOKEN"');
}

function tcpHosts({ host, port }: { readonly host: string; readonly port: number }): ReadonlySet<string> {
  return new Set([`${host.includes(':') ? `[${host}]` : host}:${port}`, `localhost:${port}`]);
}

/** Compares digests, in a time that tells nothing of either. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
