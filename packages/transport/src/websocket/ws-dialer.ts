import type { Socket } from 'node:net';
import type { Endpoint } from '@matryoshka/wire';
import { type ClientOptions, WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { attemptDial } from '../dial-attempt.ts';
import { dialAborted, dialFailed } from '../direct-link.ts';
import type { Link } from '../link.ts';
import { linkMessageLength } from '../message-length.ts';
import { systemReason } from '../tcp/socket-endpoint.ts';
import type { NodeWebSocketSettings } from './node-options.ts';
import { websocketEndpoint } from './websocket-endpoint.ts';
import { WebSocketLink } from './websocket-link.ts';
import { SUBPROTOCOL, urlOf } from './websocket-protocol.ts';
import { WS_LIMITS, WsSocket } from './ws-socket.ts';

/** @throws MatryoshkaError `transport.dial-failed` that names the endpoint and the reason, `aborted` */
export async function dialWs(
  to: Endpoint,
  first: Uint8Array,
  signal: AbortSignal | undefined,
  clock: Clock,
  settings: NodeWebSocketSettings,
): Promise<Link> {
  linkMessageLength([first]);
  if (signal?.aborted === true) throw dialAborted(to, signal);
  // The caller's again before it is sent.
  const message = first.slice();
  const socket = new WebSocket(urlOf(to, settings.path), SUBPROTOCOL, clientOptions(settings));
  let carrier: Socket | undefined;

  return attemptDial({ to, clock, signal, timeoutMs: settings.connectTimeoutMs }, (attempt) => {
    const failed = (error: Error): void => attempt.fail(dialFailed(to, systemReason(error), error));
    const upgraded = (response: { readonly socket: Socket }): void => {
      carrier = response.socket;
    };
    const opened = (): void => {
      const local = websocketEndpoint(to.transport, carrier?.localAddress, carrier?.localPort);
      const remote = websocketEndpoint(to.transport, carrier?.remoteAddress, carrier?.remotePort);
      const under = carrier;
      if (under === undefined || local === undefined || remote === undefined)
        return attempt.fail(dialFailed(to, 'the connection closed at once'));
      attempt.succeed(() => {
        socket.send(message);
        return new WebSocketLink({ socket: new WsSocket(socket, under), local, remote, clock });
      });
    };
    socket.on('error', failed).on('upgrade', upgraded).on('open', opened);
    return {
      settled: () => void socket.off('error', failed).off('upgrade', upgraded).off('open', opened),
      abandon: () => socket.on('error', () => {}).terminate(),
    };
  });
}

function clientOptions({ localAddress, ca, verifyCertificate }: NodeWebSocketSettings): ClientOptions {
  return {
    ...WS_LIMITS,
    followRedirects: false,
    rejectUnauthorized: verifyCertificate,
    ...(localAddress !== undefined && { localAddress }),
    ...(ca !== undefined && { ca }),
  };
}
