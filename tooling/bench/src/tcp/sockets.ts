import { type AddressInfo, type Server, type Socket, type TcpNetConnectOpts, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, createServer as createTlsServer } from 'node:tls';

/** A self-signed certificate and its key, in PEM: both ends of each link of a TLS chain have them. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Where to connect to, and from where. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly localAddress: string;
  /** TLS 1.3 where there is one, plain TCP otherwise. */
  readonly certificate?: Certificate;
}

/** Opens a connection; it is not established yet. */
export function dial({ certificate, ...to }: Target): Socket {
  if (certificate === undefined) return connect({ ...to, noDelay: true, allowHalfOpen: true });
  const options: ConnectionOptions & TcpNetConnectOpts = {
    ...to,
    allowHalfOpen: true,
    minVersion: 'TLSv1.3',
    ca: certificate.cert,
    // The certificate is ours and names no address.
    checkServerIdentity: () => undefined,
  };
  return connectTls(options).setNoDelay(true);
}

/** Resolves when `socket` is established, with TLS after its handshake. */
export async function established(socket: Socket): Promise<void> {
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect');
}

/** Listens on a port that the system chooses; returns it. */
export async function listenOn(host: string, certificate: Certificate | undefined, accept: (socket: Socket) => void): Promise<number> {
  const server: Server =
    certificate === undefined
      ? createServer({ noDelay: true, allowHalfOpen: true }, accept)
      : createTlsServer({ ...certificate, noDelay: true, allowHalfOpen: true, minVersion: 'TLSv1.3' }, accept);
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
