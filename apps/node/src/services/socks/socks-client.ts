import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MatryoshkaError } from '@matryoshka/node';
import { CliError } from '../../cli-error.ts';
import type { HostPort, Take } from '../protocol.ts';
import { splice } from '../splice.ts';
import { takeBytes } from '../take-bytes.ts';
import type { Destinations } from './destinations.ts';
import {
  COMMAND,
  CREDENTIALS_ACCEPTED,
  METHOD,
  REPLY,
  type Reply,
  SOCKS_VERSION,
  SocksError,
  encodeReply,
  takeCredentials,
  takeMethods,
  takeRequest,
} from './messages.ts';
import { UdpAssociation } from './udp-association.ts';

/** How long a client may take to say what it wants, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What a browser shows to whom configures this as an HTTP proxy. */
const NO_HTTP =
  'HTTP/1.0 501 This is a SOCKS proxy\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis is a SOCKS5 proxy, not an HTTP one: configure it as such, with names resolved by it.\r\n';
const SOCKS4 = 0x04;
/** Request rejected, as version 4 says it. */
const SOCKS4_REJECTED: Uint8Array = Uint8Array.of(0, 0x5b, 0, 0, 0, 0, 0, 0);

/**
 * Serves one client of a SOCKS proxy.
 *
 * | state | on | next |
 * |---|---|---|
 * | *greeting* | methods | method chosen goes back; *credentials* where it is password, else *request* |
 * | *credentials* | name and password | accepted, whatever they are: they keep clients apart; *request* |
 * | *request* | CONNECT | *connecting* |
 * | *request* | UDP ASSOCIATE | reply with a port for datagrams; *associated* until the connection ends |
 * | *connecting* | far end connected | reply; *open*: bytes go both ways until both sides have ended |
 * | any before *open* | anything else, 10 s without a request, far end not reached | reply with why where one is due; closed |
 *
 * @returns when all is over
 * @throws why the client was not served
 */
export async function serveSocksClient(socket: Socket, destinations: Destinations, signal: AbortSignal): Promise<void> {
  const take = takeBytes(socket);
  const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
  let far: Duplex;
  try {
    const isolation = await greet(socket, take);
    const { command, place } = await takeRequest(take);
    clearTimeout(timer);
    if (command === COMMAND.udpAssociate) {
      await associate(socket, destinations, isolation, signal);
      return;
    }
    if (command !== COMMAND.connect) throw new SocksError('only CONNECT and UDP ASSOCIATE are served', REPLY.commandUnknown);
    far = await destinations.connect(checked(place), isolation, signal);
  } catch (error) {
    const reply = replyOf(error);
    if (reply !== undefined && socket.writable) socket.end(encodeReply(reply));
    throw error;
  } finally {
    clearTimeout(timer);
  }
  socket.write(encodeReply(REPLY.succeeded));
  await splice(socket, far);
}

/** Settles the method. Returns what keeps this client's connections apart from those of others. */
async function greet(socket: Socket, take: Take): Promise<string> {
  const [version = 0] = await take(1);
  if (version !== SOCKS_VERSION) {
    if (version === SOCKS4) socket.end(SOCKS4_REJECTED);
    else if (/[A-Z]/.test(String.fromCharCode(version))) socket.end(NO_HTTP);
    throw new SocksError('the client does not speak SOCKS5');
  }
  const methods = await takeMethods(take);
  if (methods.has(METHOD.password)) {
    socket.write(Uint8Array.of(SOCKS_VERSION, METHOD.password));
    const credentials = await takeCredentials(take);
    socket.write(CREDENTIALS_ACCEPTED);
    return credentials;
  }
  if (!methods.has(METHOD.none)) {
    socket.end(Uint8Array.of(SOCKS_VERSION, METHOD.noneAcceptable));
    throw new SocksError('the client offers no method that is known');
  }
  socket.write(Uint8Array.of(SOCKS_VERSION, METHOD.none));
  return '';
}

async function associate(socket: Socket, destinations: Destinations, isolation: string, signal: AbortSignal): Promise<void> {
  const far = await destinations.datagrams(isolation, signal);
  const association = await UdpAssociation.open(far, String(socket.localAddress), String(socket.remoteAddress));
  try {
    socket.write(encodeReply(REPLY.succeeded, association.place));
    socket.resume();
    // It lives as long as the connection it was asked for on (RFC 1928 §7).
    await Promise.race([association.over, new Promise((resolve) => socket.once('end', resolve).once('close', resolve))]);
  } finally {
    association.close();
    socket.destroy();
  }
}

function checked(place: HostPort): HostPort {
  if (place.port === 0) throw new SocksError('port 0 leads nowhere', REPLY.failure);
  return place;
}

const REPLIES: Readonly<Record<string, Reply>> = {
  'service.unknown': REPLY.hostUnreachable,
  'service.refused': REPLY.notAllowed,
  'service.down': REPLY.connectionRefused,
  'service.timeout': REPLY.ttlExpired,
  'exit.refused': REPLY.notAllowed,
  'exit.unknown': REPLY.notAllowed,
  'exit.unreachable': REPLY.hostUnreachable,
  'socks.no-exit': REPLY.notAllowed,
};

function replyOf(error: unknown): Reply | undefined {
  if (error instanceof SocksError) return error.reply;
  if (error instanceof CliError) return REPLIES[error.code] ?? REPLY.failure;
  return error instanceof MatryoshkaError && error.code !== 'wire.truncated' ? REPLY.networkUnreachable : undefined;
}
