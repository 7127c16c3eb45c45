import { isIP } from 'node:net';
import type { HostPort } from './protocol.ts';

/** Names are labels of host names (RFC 1123 §2.1), so that `<service>.<peer id>` is one. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/** @throws TypeError that says what is allowed */
export function parseServiceName(name: string): string {
  if (!NAME.test(name))
    throw new TypeError(`${JSON.stringify(name)} is no name of a service: it has 1 to 63 of a-z, 0-9 and -, not first or last`);
  return name;
}

/** Whether it looks like a host name. */
export function isHostName(text: string): boolean {
  return HOST.test(text);
}

/** `host:port`, `[ipv6]:port`. @throws TypeError that says what is allowed */
export function parseHostPort(text: string, { anyPort = false }: { readonly anyPort?: boolean } = {}): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const valid = bracketed === undefined ? host !== undefined && (isIP(host) === 4 || isHostName(host)) : isIP(bracketed) === 6;
  if (host === undefined || !valid || port > 65_535 || (port === 0 && !anyPort))
    throw new TypeError(`${JSON.stringify(text)} is no host:port such as 127.0.0.1:8080 or [::1]:8080`);
  return { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
