import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { type CryptoProvider, type Random, portableProvider } from '@matryoshka/session';
import type { Endpoint } from '@matryoshka/wire';
import type { Clock } from '../src/clock.ts';
import { FRAME_HEADER_LENGTH, writeFrameHeader } from '../src/frame-decoder.ts';
import { FrameMask } from '../src/frame-mask.ts';
import type { TransportContext } from '../src/link.ts';
import { FramingContext, StreamFraming } from '../src/stream-framing.ts';
import { seededRandom } from './seeded-random.ts';
import { cleanups } from './standing-clock.ts';

export const ANY_PORT: Endpoint = { transport: 'tcp', host: '127.0.0.1', port: 0 };
export const FIRST: Uint8Array = Uint8Array.of(1, 2, 3);
/** As a handshake would give them to both sides: forward is what the dialling side sends with. */
export const MASK_KEYS = { forward: new Uint8Array(32).fill(0xf0), backward: new Uint8Array(32).fill(0xba) } as const;

const random: Random = seededRandom(Date.now() % 2 ** 32);
const provider: CryptoProvider = portableProvider;

/** What a node gives to its transports. */
export function contextOf(clock: Clock, networkKey?: Uint8Array): TransportContext {
  return { clock, random, provider, ...(networkKey && { networkKey }) };
}

/** The other side of a TCP link, by hand: what it makes are bytes to be written. */
export class ByHand {
  readonly #framing: StreamFraming;
  #mask: FrameMask | undefined;

  constructor(side: 'dialling' | 'accepting', networkKey?: Uint8Array) {
    this.#framing = new StreamFraming(new FramingContext({ provider, random, networkKey }), side);
  }

  /** The messages in what came. */
  read(chunk: Uint8Array): Uint8Array[] {
    this.#framing.feed(chunk);
    const messages: Uint8Array[] = [];
    for (let message = this.#framing.next(); message !== undefined; message = this.#framing.next()) messages.push(message.slice());
    return messages;
  }

  /** Messages of a handshake. */
  veiled(...messages: readonly Uint8Array[]): Uint8Array {
    return joined(messages.map((message) => this.#framing.veil([message], message.length)));
  }

  /** Messages after the handshake, sent with the mask key of a direction. */
  masked(maskOut: Uint8Array, ...messages: readonly Uint8Array[]): Uint8Array {
    return joined(messages.flatMap((message) => [this.header(maskOut, message.length), message]));
  }

  /** The header of the next frame. */
  header(maskOut: Uint8Array, length: number): Uint8Array {
    this.#mask ??= new FrameMask(provider, maskOut);
    const header = new Uint8Array(FRAME_HEADER_LENGTH);
    writeFrameHeader(header, 0, length, this.#mask);
    return header;
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A first message from nobody in particular, as bytes of a stream. */
export function firstFlight(message: Uint8Array = FIRST, networkKey?: Uint8Array): Uint8Array {
  return new ByHand('dialling', networkKey).veiled(message);
}

/** A stranger with a socket of its own. `ended` is how it ended for it: `end`, or the error. */
export async function stranger(
  to: Endpoint,
  localAddress?: string,
): Promise<{ socket: Socket; got: Uint8Array[]; ended: Promise<string> }> {
  const socket = connect({ host: to.host, port: to.port, ...(localAddress !== undefined && { localAddress }) });
  cleanups.push(() => socket.destroy());
  const got: Uint8Array[] = [];
  const ended = new Promise<string>((resolve) => {
    socket
      .on('data', (chunk: Uint8Array) => got.push(chunk))
      .on('end', () => resolve('end'))
      .on('error', (error) => resolve(error.message));
  });
  await once(socket, 'connect');
  return { socket, got, ended };
}

/** A listener without any framing. */
export async function rawServer(connected: (socket: Socket) => void): Promise<Endpoint> {
  const server = createServer(connected).listen(0, '127.0.0.1');
  cleanups.push(() => server.close());
  await once(server, 'listening');
  return { ...ANY_PORT, port: (server.address() as { port: number }).port };
}

/** A listener that answers the first message with bytes made by hand. */
export function serverByHand(answer: (hand: ByHand, socket: Socket) => void): Promise<Endpoint> {
  return rawServer((socket) => {
    const hand = new ByHand('accepting');
    let answered = false;
    socket.on('error', () => {});
    socket.on('data', (chunk: Uint8Array) => {
      if (answered || hand.read(chunk).length === 0) return;
      answered = true;
      answer(hand, socket);
    });
  });
}
