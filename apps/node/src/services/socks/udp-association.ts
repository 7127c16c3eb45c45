import { type Socket, createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { MatryoshkaError } from '@matryoshka/node';
import { type HostPort, encodeDatagram, takeDatagram } from '../protocol.ts';
import { takeBytes } from '../take-bytes.ts';
import { decodeDatagram, encodeSocksDatagram } from './messages.ts';

/** Datagrams of one client of a SOCKS proxy, to and from a stream (RFC 1928 §7). What does not get through is lost. */
export class UdpAssociation {
  /** Where the client sends to. */
  readonly place: HostPort;
  /** Resolves when the stream is over; never rejects. */
  readonly over: Promise<void>;
  readonly #socket: Socket;
  readonly #far: Duplex;
  readonly #clientHost: string;
  /** Where the client sends from: told by its first datagram. */
  #clientPort: number | undefined;

  private constructor(socket: Socket, far: Duplex, clientHost: string) {
    this.#socket = socket;
    this.#far = far.on('error', () => {});
    this.#clientHost = plain(clientHost);
    const { address, port } = socket.address();
    this.place = { host: address, port };
    socket.on('error', () => {}).on('message', (datagram, { address: from, port: fromPort }) => void this.#out(datagram, from, fromPort));
    this.over = this.#in().catch(() => {});
  }

  /**
   * @param far - carries the datagrams on
   * @param localHost - address that the client reached the proxy at
   * @param clientHost - address of the client: datagrams of others are let go
   */
  static async open(far: Duplex, localHost: string, clientHost: string): Promise<UdpAssociation> {
    const host = plain(localHost);
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, host, resolve));
    } catch (error) {
      far.destroy();
      throw new MatryoshkaError('transport.listen-failed', `no port for datagrams: ${(error as Error).message}`, { cause: error });
    }
    return new UdpAssociation(socket, far, clientHost);
  }

  close(): void {
    this.#far.destroy();
    this.#socket.close();
  }

  async #out(datagram: Uint8Array, from: string, port: number): Promise<void> {
    if (plain(from) !== this.#clientHost || (this.#clientPort !== undefined && port !== this.#clientPort)) return;
    const decoded = await decodeDatagram(datagram);
    if (decoded === undefined) return;
    this.#clientPort = port;
    if (!this.#far.writableNeedDrain && !this.#far.destroyed) this.#far.write(encodeDatagram(decoded.place, decoded.payload));
  }

  async #in(): Promise<void> {
    const take = takeBytes(this.#far);
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they come
      const { place, payload } = await takeDatagram(take);
      if (this.#clientPort !== undefined)
        this.#socket.send(encodeSocksDatagram(place, payload), this.#clientPort, this.#clientHost, () => {});
    }
  }
}

/** IPv4 addresses inside IPv6 ones, as sockets show them, without the wrapping. */
function plain(address: string): string {
  return address.replace(/^::ffff:/i, '');
}
