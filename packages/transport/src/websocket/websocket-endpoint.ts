import type { Endpoint, TransportName } from '@matryoshka/wire';
import { socketEndpoint } from '../tcp/socket-endpoint.ts';

/** One side of the socket below a WebSocket. Undefined once the socket is gone. */
export function websocketEndpoint(transport: TransportName, address: string | undefined, port: number | undefined): Endpoint | undefined {
  const endpoint = socketEndpoint(address, port);
  return endpoint && { ...endpoint, transport };
}
