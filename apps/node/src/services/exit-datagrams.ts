import { type Socket, createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { MatryoshkaError, type Stream } from '@matryoshka/node';
import { duplex } from '@matryoshka/node/duplex';
import { encodeDatagram, takeDatagram } from './protocol.ts';
import { takeBytes } from './take-bytes.ts';

/** Places that one stream may send to; answers of others are let go. */
const MAX_PLACES = 256;
/** Datagrams whose place is being found out at once; more are lost. */
const MAX_RESOLVING = 64;
/** A stream that carries nothing for so long ends, in milliseconds. */
const IDLE_MS = 120_000;
const IDLE_CHECK_MS = 30_000;

/**
 * UDP for one stream of somebody else: datagrams go out to places that are allowed, and what those answer comes back. As
 * with any UDP, what does not get through is lost.
 */
export class ExitDatagrams {
  /** Resolves when the stream is over; never rejects. */
  readonly done: Promise<void>;
  readonly #far: Duplex;
  readonly #resolve: (host: string, port: number) => Promise<string>;
  readonly #sockets = new Map<4 | 6, Socket>();
  /** What the other side calls each place, by address and port. */
  readonly #places = new Map<string, string>();
  #usedAtMs = performance.now();
  #resolving = 0;

  /** @param resolve - the address of a host, if it is allowed on the port; otherwise throws */
  constructor(stream: Stream, resolve: (host: string, port: number) => Promise<string>, signal: AbortSignal) {
    this.#resolve = resolve;
    this.#far = duplex(stream).on('error', () => {});
    const stop = (): void => void this.#far.destroy(new MatryoshkaError('shutdown'));
    signal.addEventListener('abort', stop, { once: true });
    const idle = setInterval(() => {
      if (performance.now() - this.#usedAtMs > IDLE_MS) this.#far.destroy(new MatryoshkaError('session.timeout'));
    }, IDLE_CHECK_MS);
    this.done = this.#run()
      .catch((error: unknown) => void this.#far.destroy(error as Error))
      .finally(() => {
        clearInterval(idle);
        signal.removeEventListener('abort', stop);
        this.#far.destroy();
        for (const socket of this.#sockets.values()) socket.close();
      });
  }

  async #run(): Promise<void> {
    const take = takeBytes(this.#far);
    for (;;) {
      // One after the other, as they come.
      // oxlint-disable-next-line no-await-in-loop
      const { place, payload } = await takeDatagram(take);
      this.#usedAtMs = performance.now();
      // A name that is slow to resolve holds up nobody.
      if (this.#resolving < MAX_RESOLVING) void this.#send(place.host, place.port, payload);
    }
  }

  async #send(host: string, port: number, payload: Uint8Array): Promise<void> {
    this.#resolving++;
    try {
      const address = await this.#resolve(host, port);
      const key = `${address} ${port}`;
      if (this.#far.destroyed) return;
      if (!this.#places.has(key) && this.#places.size >= MAX_PLACES) return;
      this.#places.set(key, host);
      this.#socket(isIP(address) === 6 ? 6 : 4).send(payload, port, address, () => {});
    } catch {
      // Lost, as datagrams are.
    } finally {
      this.#resolving--;
    }
  }

  #socket(family: 4 | 6): Socket {
    let socket = this.#sockets.get(family);
    if (socket === undefined) {
      socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', ipv6Only: family === 6 });
      socket.on('error', () => {}).on('message', (payload, { address, port }) => this.#answered(address, port, payload));
      this.#sockets.set(family, socket);
    }
    return socket;
  }

  #answered(address: string, port: number, payload: Uint8Array): void {
    const host = this.#places.get(`${address} ${port}`);
    // Of somebody who was not asked, or more than the other side takes now.
    if (host === undefined || this.#far.writableNeedDrain || this.#far.destroyed) return;
    this.#usedAtMs = performance.now();
    this.#far.write(encodeDatagram({ host, port }, payload));
  }
}
