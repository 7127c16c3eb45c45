import { connect } from 'node:net';
import { type Endpoint, sameEndpoint } from '@matryoshka/wire';
import type { Clock } from '../clock.ts';
import { attemptDial } from '../dial-attempt.ts';
import { dialAborted, dialFailed } from '../direct-link.ts';
import type { Link } from '../link.ts';
import { linkMessageLength } from '../message-length.ts';
import { type FramingContext, StreamFraming } from '../stream-framing.ts';
import { socketEndpoint, systemReason } from './socket-endpoint.ts';
import { SocketReader } from './socket-reader.ts';
import { TcpLink } from './tcp-link.ts';
import type { TcpSettings } from './tcp-options.ts';

/** @throws MatryoshkaError `transport.dial-failed` that names the endpoint and the system's reason, `aborted` */
export async function dialTcp(
  to: Endpoint,
  first: Uint8Array,
  signal: AbortSignal | undefined,
  { clock, framing: framingContext }: { readonly clock: Clock; readonly framing: FramingContext },
  settings: TcpSettings,
): Promise<Link> {
  const length = linkMessageLength([first]);
  if (signal?.aborted === true) throw dialAborted(to, signal);
  const framing = new StreamFraming(framingContext, 'dialling');
  const veiled = framing.veil([first], length);

  const { localAddress } = settings;
  const reader = new SocketReader();
  const socket = connect({
    host: to.host,
    port: to.port,
    noDelay: true,
    onread: reader.onread,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  // Nothing is read before the link has an owner.
  socket.pause();
  // The socket sends it the moment it is connected.
  socket.write(veiled);

  return attemptDial({ to, clock, signal, timeoutMs: settings.connectTimeoutMs }, (attempt) => {
    const failed = (error: Error): void => attempt.fail(dialFailed(to, systemReason(error), error));
    const connected = (): void => {
      const local = socketEndpoint(socket.localAddress, socket.localPort);
      const remote = socketEndpoint(socket.remoteAddress, socket.remotePort);
      if (local === undefined || remote === undefined) return attempt.fail(dialFailed(to, 'the connection closed at once'));
      // A connect to a free local port can meet itself (RFC 9293 §3.5, simultaneous open).
      if (sameEndpoint(local, remote)) return attempt.fail(dialFailed(to, 'nobody listens there'));
      attempt.succeed(() => new TcpLink({ socket, reader, local, remote, clock, framing }));
    };
    socket.on('error', failed).on('connect', connected);
    return {
      settled: () => void socket.off('error', failed).off('connect', connected),
      abandon: () => void socket.on('error', () => {}).destroy(),
    };
  });
}
