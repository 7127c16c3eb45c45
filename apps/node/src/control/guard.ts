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

/** What a request wants: the API, or a file of the page, which is the same for everybody and knows nothing without the API. */
export type Wanted = 'api' | 'page';

/**
 * Refuses whoever has no business here, before anything else of the request is looked at.
 *
 * | | local socket | loopback TCP | the page, on loopback TCP |
 * |---|---|---|---|
 * | `Host` | `localhost` | an address or `localhost`, with the port listened on; anything else is a name that was made to point here | the same |
 * | `Origin` | none: no browser comes this way | that of the API itself | the same |
 * | `Sec-Fetch-Site` | none | `same-origin` or `none` | the same; anything where a window is taken there |
 * | `Authorization` | not looked at | `Bearer` and the token | not looked at |
 *
 * A window may be taken to the page from anywhere: terminals, mail and notes are pages themselves nowadays, and the address
 * is clicked on there. No frame, since the page does not let itself be framed, and no script of elsewhere can read it.
 * @throws ControlError `control.wrong-host`, `control.wrong-origin`, `control.unauthorized`
 */
export function checkDoor(door: Door, { headers }: Pick<IncomingMessage, 'headers'>, wanted: Wanted = 'api'): void {
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
  const ownSite = site === undefined || (door.kind === 'tcp' && (site === 'same-origin' || site === 'none'));
  if (!ownOrigin || !(ownSite || (wanted === 'page' && takesWindow(headers))))
    throw new ControlError(403, 'control.wrong-origin', 'pages of other origins are not answered');
  if (door.kind === 'tcp' && wanted === 'api' && !hasToken(headers.authorization, door.token))
    throw new ControlError(401, 'control.unauthorized', 'the token is missing or wrong', 'send it as "Authorization: Bearer TOKEN"');
}

function tcpHosts({ host, port }: { readonly host: string; readonly port: number }): ReadonlySet<string> {
  return new Set([`${host.includes(':') ? `[${host}]` : host}:${port}`, `localhost:${port}`]);
}

/** Whether a browser takes a window there, and loads nothing into another page. */
function takesWindow(headers: IncomingMessage['headers']): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Compares digests, in a time that tells nothing of either. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
