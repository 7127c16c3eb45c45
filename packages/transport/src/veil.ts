import type { Aead, CryptoProvider, Random } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import { CounterNonce } from './counter-nonce.ts';
import { FrameMask } from './frame-mask.ts';

// docs/protocol.md §2.1: what a framing hides a handshake with, before there are keys of a session.

/** Random bytes that each direction of a stream begins with. */
export const VEIL_NONCE_LENGTH = 16;
/** Longest message that can be veiled, in bytes. */
export const MAX_VEILED_MESSAGE_LENGTH = 2047;
/** Most bytes of padding behind a message. One less than a power of two, so that a draw is two random bytes. */
const MAX_PADDING_LENGTH = 2047;
const LENGTH_LENGTH = 2;
const TAG_LENGTH = 16;
/** Longest body of a frame that is veiled. */
export const MAX_VEILED_LENGTH: number = LENGTH_LENGTH + MAX_VEILED_MESSAGE_LENGTH + MAX_PADDING_LENGTH + TAG_LENGTH;

const NOTHING = new Uint8Array(0);
const LABEL: Uint8Array = new TextEncoder().encode('matryoshka veil 1');
/** What the keys of one direction are for. */
const PURPOSE = {
  forward: { message: Uint8Array.of(0x01), mask: Uint8Array.of(0x02) },
  backward: { message: Uint8Array.of(0x03), mask: Uint8Array.of(0x04) },
} as const;

/** Makes veils of a network key; one per transport. */
export class VeilMaker {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;

  /** @param networkKey - undefined: a public constant takes its place */
  constructor(provider: CryptoProvider, networkKey: Uint8Array | undefined) {
    this.#provider = provider;
    const hash = provider.hash('SHA256');
    this.#key = networkKey === undefined ? hash.digest(LABEL, Uint8Array.of(0)) : hash.digest(LABEL, Uint8Array.of(1), networkKey);
  }

  /** Of what the dialling side sends. @param nonce - that it begins with, 16 bytes */
  forward(nonce: Uint8Array): Veil {
    return this.#make('forward', nonce);
  }

  /** Of what the accepting side sends: bound to both nonces, so that it is another one though the first was a replay. */
  backward(nonce: Uint8Array, answerNonce: Uint8Array): Veil {
    return this.#make('backward', nonce, answerNonce);
  }

  #make(direction: keyof typeof PURPOSE, ...nonces: readonly Uint8Array[]): Veil {
    const { message, mask } = PURPOSE[direction];
    const hash = this.#provider.hash('SHA256');
    const aead = this.#provider.aead('chacha20poly1305', hash.hmac(this.#key, message, ...nonces));
    return new Veil(aead, new FrameMask(this.#provider, hash.hmac(this.#key, mask, ...nonces)));
  }
}

/** Hides the messages of a handshake in one direction of one link: contents, lengths, and by padding also sizes. */
export class Veil {
  readonly mask: FrameMask;
  readonly #aead: Aead;
  readonly #nonce = new CounterNonce();

  constructor(aead: Aead, mask: FrameMask) {
    this.#aead = aead;
    this.mask = mask;
  }

  /**
   * The body of the frame for one message of `length` bytes made of `parts`, newly allocated: true length u16, message and
   * a random amount of padding, sealed.
   * @throws RangeError for more than 2,047 bytes
   */
  seal(parts: readonly Uint8Array[], length: number, random: Random): Uint8Array {
    if (length > MAX_VEILED_MESSAGE_LENGTH)
      throw new RangeError(`before protect() a message has up to ${MAX_VEILED_MESSAGE_LENGTH} bytes, not ${length}`);
    const draw = new Uint8Array(2);
    random.fill(draw);
    const padding = (((draw[0] as number) << 8) | (draw[1] as number)) & MAX_PADDING_LENGTH;
    const body = new Uint8Array(LENGTH_LENGTH + length + padding + TAG_LENGTH);
    body[0] = length >>> 8;
    body[1] = length;
    let at = LENGTH_LENGTH;
    for (const part of parts) {
      body.set(part, at);
      at += part.length;
    }
    this.#aead.seal(this.#nonce.next(), NOTHING, body.subarray(0, body.length - TAG_LENGTH), body);
    return body;
  }

  /**
   * The message in the body of a frame, opened in place.
   * @throws MatryoshkaError `transport.protocol` for anything that the other side has not sealed
   */
  open(body: Uint8Array): Uint8Array {
    const space = body.length - TAG_LENGTH - LENGTH_LENGTH;
    if (space > 0 && this.#aead.open(this.#nonce.next(), NOTHING, body, body)) {
      const length = ((body[0] as number) << 8) | (body[1] as number);
      if (length > 0 && length <= space) return body.subarray(LENGTH_LENGTH, LENGTH_LENGTH + length);
    }
    throw new MatryoshkaError('transport.protocol', 'what came does not open: another network key, or not of this protocol');
  }
}
