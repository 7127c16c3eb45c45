import type { Endpoint } from '@matryoshka/wire';
import type { Clock } from '../clock.ts';
import { attemptDial } from '../dial-attempt.ts';
import { dialAborted, dialFailed } from '../direct-link.ts';
import type { Link } from '../link.ts';
import { linkMessageLength } from '../message-length.ts';
import { PlatformSocket } from './platform-socket.ts';
import { WebSocketLink } from './websocket-link.ts';
import type { WebSocketSettings } from './websocket-options.ts';
import { SUBPROTOCOL, urlOf } from './websocket-protocol.ts';

/**
 * Dials with the platform's WebSocket. It tells neither side's address: the link's remote endpoint is the one dialled,
 * its local one unspecified.
 * @throws MatryoshkaError `transport.dial-failed` that names the endpoint, `aborted`
 */
export async function dialPlatform(
  to: Endpoint,
  first: Uint8Array,
  signal: AbortSignal | undefined,
  clock: Clock,
  settings: WebSocketSettings,
): Promise<Link> {
  linkMessageLength([first]);
  if (signal?.aborted === true) throw dialAborted(to, signal);
  // The caller's again before it is sent.
  const message = first.slice();
  const socket = open(to, settings.path);
  socket.binaryType = 'arraybuffer';

  return attemptDial({ to, clock, signal, timeoutMs: settings.connectTimeoutMs }, (attempt) => {
    socket.onerror = socket.onclose = (event: Event): void => attempt.fail(dialFailed(to, whatItSays(event)));
    socket.onopen = (): void => {
      if (socket.protocol !== SUBPROTOCOL) return attempt.fail(dialFailed(to, 'it does not speak the subprotocol'));
      attempt.succeed(() => {
        socket.send(message);
        const remote: Endpoint = { transport: to.transport, host: to.host, port: to.port };
        const local: Endpoint = { transport: to.transport, host: '0.0.0.0', port: 0 };
        return new WebSocketLink({ socket: new PlatformSocket(socket, clock), local, remote, clock });
      });
    };
    return {
      settled: () => {
        socket.onopen = socket.onerror = socket.onclose = null;
      },
      abandon: () => socket.close(),
    };
  });
}

function open(to: Endpoint, path: string): WebSocket {
  const Platform = globalThis.WebSocket as typeof WebSocket | undefined;
  if (Platform === undefined) throw dialFailed(to, 'this platform has no WebSocket');
  try {
    return new Platform(urlOf(to, path), SUBPROTOCOL);
  } catch (error) {
    // E.g. a page that came encrypted may not open ws: endpoints.
    throw dialFailed(to, error instanceof Error ? error.message : String(error), error);
  }
}

/** Browsers say nothing, lest a page learns about its user's network. */
function whatItSays(event: Event): string {
  const { message } = event as Partial<ErrorEvent>;
  return message === undefined || message === '' ? 'the WebSocket did not open' : message;
}
