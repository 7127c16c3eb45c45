import { once } from 'node:events';
import { type Socket, connect, isIPv4 } from 'node:net';

/** Greeting without authentication, and its answer (RFC 1928 §3). */
const GREETING = Uint8Array.of(5, 1, 0);
const GREETED = '0500';
/** Answer to a request with an IPv4 address in it (RFC 1928 §6). */
const REPLY_LENGTH = 10;

/** CONNECT to an IPv4 address (RFC 1928 §4). */
export function encodeRequest(host: string, port: number): Uint8Array {
  if (!isIPv4(host)) throw new RangeError(`${host} is no IPv4 address`);
  return Uint8Array.of(5, 1, 0, 1, ...host.split('.').map(Number), port >> 8, port & 0xff);
}

/** Opens a connection to `to` through the SOCKS5 proxy. @throws Error that names the status, where the proxy refuses */
export async function socksConnect(
  proxy: { readonly host: string; readonly port: number },
  to: { readonly host: string; readonly port: number },
): Promise<Socket> {
  const socket = connect({ ...proxy, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(GREETING);
  const greeted = await take(socket, GREETING.length - 1);
  if (greeted.toString('hex') !== GREETED) throw new Error(`the SOCKS proxy answers ${greeted.toString('hex')}`);
  socket.write(encodeRequest(to.host, to.port));
  const reply = await take(socket, REPLY_LENGTH);
  if (reply[1] !== 0) throw new Error(`the SOCKS proxy refuses with status ${reply[1]}`);
  return socket;
}

/** Exactly so many bytes; what comes after them stays in the socket. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    // oxlint-disable-next-line no-await-in-loop
    await once(socket, 'readable');
  }
}
