import { type Aead, type DetachedAead, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '@matryoshka/session';
import type { SuiteName } from '@matryoshka/wire';
import { type State, absorb, finalMix, finish, mixBlock, squeeze } from './mixing.ts';
import type { KeyUses } from './seal-record.ts';

const SEEDS: Readonly<Record<SuiteName, number>> = { chacha20poly1305: 0x6368_6163, aes256gcm: 0x6165_7367 };
const ASSOCIATED_SEED = 0x6173_736f;
const LANE_A = 0x9e37_79b1;
const LANE_B = 0x85eb_ca77;
const EMPTY_STATE: Readonly<State> = [0, 0, 0, 0];
const NO_ASSOCIATED_DATA = new Uint8Array(0);
/** Small, so that records with memory of their own and others meet in small worlds. */
const DETACHED_FROM_LENGTH = 512;

// One call at a time works with these.
const record: State = [0, 0, 0, 0];
const associatedState: State = [0, 0, 0, 0];
const tag: State = [0, 0, 0, 0];
const expectedTag = new Uint8Array(TAG_LENGTH);

/** The state that an AEAD key is used as: two keys with the same one are the same key. */
export function keyState(suite: SuiteName, key: Uint8Array): State {
  if (key.length !== KEY_LENGTH) throw new RangeError(`an AEAD key must have ${KEY_LENGTH} bytes, not ${key.length}`);
  const state: State = [0, 0, 0, 0];
  absorb(state, SEEDS[suite], [key]);
  return state;
}

/**
 * Seals as an AEAD does and opens only what it has sealed: a keystream of mixed counters and a tag of two running
 * products over the ciphertext. Any change of a single word changes the tag for certain. It hides nothing.
 */
export class SimulatedAead implements Aead {
  readonly detached: DetachedAead = {
    fromLength: DETACHED_FROM_LENGTH,
    seal: (nonce, plaintext) => {
      const record = new Uint8Array(plaintext.length + TAG_LENGTH);
      this.seal(nonce, NO_ASSOCIATED_DATA, plaintext, record);
      return { ciphertext: record.slice(0, plaintext.length), tag: record.slice(plaintext.length) };
    },
    open: (nonce, ciphertext) => {
      const plaintext = new Uint8Array(Math.max(0, ciphertext.length - TAG_LENGTH));
      return this.open(nonce, NO_ASSOCIATED_DATA, ciphertext, plaintext) ? plaintext : undefined;
    },
  };
  #key: State | undefined;
  readonly #uses: KeyUses | undefined;

  /** @param uses - where each sealing is written down */
  constructor(key: State, uses: KeyUses | undefined) {
    this.#key = key;
    this.#uses = uses;
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    this.#begin(nonce, associated);
    const total = plaintext.length + TAG_LENGTH;
    if (out.length < total) throw new RangeError(`out must have at least ${total} bytes, not ${out.length}`);
    encipher(plaintext, out, plaintext.length, true);
    squeeze(tag, out.subarray(plaintext.length, total));
    this.#uses?.sealed(nonce, tag[0], tag[1], plaintext.length);
    return total;
  }

  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    this.#begin(nonce, associated);
    const length = ciphertext.length - TAG_LENGTH;
    if (length < 0) return false;
    if (out.length < length) throw new RangeError(`out must have at least ${length} bytes, not ${out.length}`);
    encipher(ciphertext, out, length, false);
    squeeze(tag, expectedTag);
    let difference = 0;
    for (let i = 0; i < TAG_LENGTH; i++) difference |= (expectedTag[i] as number) ^ (ciphertext[length + i] as number);
    return difference === 0;
  }

  wipe(): void {
    this.#key = undefined;
  }

  /** Sets `record` and `associatedState` up. */
  #begin(nonce: Uint8Array, associated: Uint8Array): void {
    if (nonce.length !== NONCE_LENGTH) throw new RangeError(`a nonce must have ${NONCE_LENGTH} bytes, not ${nonce.length}`);
    const key = this.#key;
    if (key === undefined) throw new TypeError('a key was used after it was wiped');
    for (let i = 0; i < 4; i++) record[i] = key[i] as number;
    mixBlock(record, word(nonce, 0), word(nonce, 4), word(nonce, 8), NONCE_LENGTH);
    finish(record, NONCE_LENGTH);
    if (associated.length > 0) absorb(associatedState, ASSOCIATED_SEED, [associated]);
    else for (let i = 0; i < 4; i++) associatedState[i] = EMPTY_STATE[i] as number;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** Enciphers or deciphers `length` bytes, and leaves the tag of the ciphertext in `tag`. */
function encipher(from: Uint8Array, to: Uint8Array, length: number, sealing: boolean): void {
  const [s0, s1, s2, s3] = record;
  const input = new DataView(from.buffer, from.byteOffset, length);
  const output = new DataView(to.buffer, to.byteOffset, length);
  const end = length & ~3;
  let a = s2;
  let b = s3;
  for (let at = 0; at < end; at += 4) {
    const read = input.getInt32(at, true);
    let stream = Math.imul((at + s0) ^ ((at + s0) >>> 15), 0x2c1b_3c6d);
    stream = Math.imul(stream ^ (stream >>> 12), 0x297a_2d39) ^ s1;
    const written = read ^ stream;
    output.setInt32(at, written, true);
    const sealed = sealing ? written : read;
    a = Math.imul((a << 15) | (a >>> 17), LANE_A) ^ sealed;
    b = Math.imul((b << 13) | (b >>> 19), LANE_B) ^ sealed;
  }
  for (let at = end; at < length; at++) {
    const read = input.getUint8(at);
    const written = read ^ (finalMix(at + s0) & 0xff);
    output.setUint8(at, written);
    const sealed = sealing ? written : read;
    a = Math.imul((a << 15) | (a >>> 17), LANE_A) ^ sealed;
    b = Math.imul((b << 13) | (b >>> 19), LANE_B) ^ sealed;
  }
  tag[0] = a ^ associatedState[0];
  tag[1] = b ^ associatedState[1];
  tag[2] = associatedState[2];
  tag[3] = associatedState[3];
  mixBlock(tag, s0, s1, s2, s3);
  finish(tag, length);
}
