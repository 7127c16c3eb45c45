import type { CryptoProvider, Random } from '@matryoshka/session';
import { FRAME_HEADER_LENGTH, FrameDecoder, type LengthMask, writeFrameHeader } from './frame-decoder.ts';
import { FrameMask } from './frame-mask.ts';
import { MAX_MESSAGE_LENGTH, type TransportContext } from './link.ts';
import { MAX_VEILED_LENGTH, VEIL_NONCE_LENGTH, type Veil, VeilMaker } from './veil.ts';

/** What all framings of a transport share. */
export class FramingContext {
  /** Cryptography. */
  readonly provider: CryptoProvider;
  /** Randomness. */
  readonly random: Random;
  /** Hides first messages under the network key. */
  readonly veils: VeilMaker;

  constructor({ provider, random, networkKey }: Pick<TransportContext, 'provider' | 'random' | 'networkKey'>) {
    this.provider = provider;
    this.random = random;
    this.veils = new VeilMaker(provider, networkKey);
  }
}

/**
 * Messages as a byte stream and back, for the one link that runs over it (docs/protocol.md §2): each direction begins with
 * a nonce; messages are veiled until `protect`, from then on only their lengths are masked.
 *
 * | state of a direction | on | next |
 * |---|---|---|
 * | nothing yet | its first message | veiled; the nonce goes before it |
 * | veiled | `protect` | masked: sending at once, receiving from the next header on |
 */
export class StreamFraming {
  readonly #context: FramingContext;
  readonly #dialling: boolean;
  readonly #decoder = new FrameDecoder(VEIL_NONCE_LENGTH);
  /** The nonce that the dialling side begins with, once it is known. */
  #nonce: Uint8Array | undefined;
  #veilOut: Veil | undefined;
  #veilIn: Veil | undefined;
  #maskOut: LengthMask | undefined;
  #protectedIn = false;

  constructor(context: FramingContext, side: 'dialling' | 'accepting') {
    this.#context = context;
    this.#dialling = side === 'dialling';
  }

  /** The nonce of the dialling side, once it is known: what a replay is recognised by. */
  get nonce(): Uint8Array | undefined {
    return this.#nonce;
  }

  // ---- sending -----------------------------------------------------------------------------------------------------

  /** What lengths are masked with from now on; undefined while messages are veiled. */
  get maskOut(): LengthMask | undefined {
    return this.#maskOut;
  }

  /**
   * The bytes of one message before `protect`, newly allocated, the nonce included where it is the first one.
   * @throws RangeError for more than 2,047 bytes
   */
  veil(parts: readonly Uint8Array[], length: number): Uint8Array {
    const { random } = this.#context;
    const nonce = this.#veilOut === undefined ? new Uint8Array(VEIL_NONCE_LENGTH) : undefined;
    if (nonce !== undefined) {
      random.fill(nonce);
      this.#veilOut = this.#beginOut(nonce);
    }
    const veil = this.#veilOut as Veil;
    const body = veil.seal(parts, length, random);
    const headerAt = nonce?.length ?? 0;
    const bytes = new Uint8Array(headerAt + FRAME_HEADER_LENGTH + body.length);
    if (nonce !== undefined) bytes.set(nonce);
    writeFrameHeader(bytes, headerAt, body.length, veil.mask);
    bytes.set(body, headerAt + FRAME_HEADER_LENGTH);
    return bytes;
  }

  #beginOut(nonce: Uint8Array): Veil {
    const { veils } = this.#context;
    if (this.#dialling) {
      this.#nonce = nonce;
      return veils.forward(nonce);
    }
    if (this.#nonce === undefined) throw new TypeError('nothing came that could be answered');
    return veils.backward(this.#nonce, nonce);
  }

  // ---- receiving ---------------------------------------------------------------------------------------------------

  /** Whether a frame has begun that has not ended; only once `next()` said undefined. */
  get incomplete(): boolean {
    return this.#decoder.incomplete;
  }

  /** Takes the next bytes of the stream, borrowed until `next()` says undefined or `keep()`. */
  feed(chunk: Uint8Array): void {
    this.#decoder.feed(chunk);
  }

  /** Copies what is left of the chunk that was fed: its owner gets it back. */
  keep(): void {
    this.#decoder.keep();
  }

  /** Gives the memory back that a quiet stream does not need. */
  release(): void {
    this.#decoder.release();
  }

  /**
   * The next message, a view that may be overwritten and is valid until the next `next()`, `feed()` or `release()`;
   * undefined when the chunk is used up.
   * @throws MatryoshkaError `transport.frame-length`, `transport.protocol`; the stream is of no use after it
   */
  next(): Uint8Array | undefined {
    const body = this.#decoder.next();
    return this.#protectedIn || body === undefined ? body : this.#unveil(body);
  }

  #unveil(body: Uint8Array): Uint8Array | undefined {
    if (this.#veilIn !== undefined) return this.#veilIn.open(body);
    this.#veilIn = this.#beginIn(body.slice());
    this.#decoder.remask(this.#veilIn.mask, MAX_VEILED_LENGTH);
    return this.next();
  }

  #beginIn(nonce: Uint8Array): Veil {
    const { veils } = this.#context;
    if (!this.#dialling) {
      this.#nonce = nonce;
      return veils.forward(nonce);
    }
    if (this.#nonce === undefined) throw new TypeError('an answer, and nothing was sent');
    return veils.backward(this.#nonce, nonce);
  }

  /** How much to read on after what did not authenticate, in bytes: as if the length of a frame had been changed to any. */
  readOnLength(): number {
    const draw = new Uint8Array(2);
    this.#context.random.fill(draw);
    return ((draw[0] as number) << 8) | (draw[1] as number);
  }

  // ------------------------------------------------------------------------------------------------------------------

  /**
   * The handshake is done: see `Link.protect`.
   * @throws RangeError unless both keys have 32 bytes; TypeError before each side has sent a message
   */
  protect(maskOut: Uint8Array, maskIn: Uint8Array): void {
    if (this.#veilIn === undefined || this.#veilOut === undefined)
      throw new TypeError('no handshake is done before both sides have spoken');
    const { provider } = this.#context;
    this.#maskOut = new FrameMask(provider, maskOut);
    this.#decoder.remask(new FrameMask(provider, maskIn), MAX_MESSAGE_LENGTH);
    this.#protectedIn = true;
  }
}
