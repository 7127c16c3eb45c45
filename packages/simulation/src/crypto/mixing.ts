// MurmurHash3 x86_128 (Appleby 2011) as the one mixing function of the simulated primitives: fast, spread well, and no
// secret to anybody. Words are little-endian.

const C1 = 0x239b_961b;
const C2 = 0xab0e_9789;
const C3 = 0x38b3_4ae5;
const C4 = 0xa1e3_8b93;
const BLOCK_LENGTH = 16;

/** What is hashed, in one piece: parts may come in any number and at any alignment. */
let scratch = new Int32Array(1024);
let scratchBytes = new Uint8Array(scratch.buffer);

/** 128 bits that everything taken in has changed. */
export type State = [number, number, number, number];

/** MurmurHash3's mixing of one word. */
export function finalMix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

/** Hashes `parts`, one after the other, into `state`, which begins anew from `seed`. */
export function absorb(state: State, seed: number, parts: readonly Uint8Array[]): void {
  let length = 0;
  for (const part of parts) length += part.length;
  const padded = Math.ceil(length / BLOCK_LENGTH) * BLOCK_LENGTH;
  if (padded > scratchBytes.length) {
    scratch = new Int32Array(padded / 2);
    scratchBytes = new Uint8Array(scratch.buffer);
  }
  let at = 0;
  for (const part of parts) {
    scratchBytes.set(part, at);
    at += part.length;
  }
  scratchBytes.fill(0, at, padded);
  state[0] = state[1] = state[2] = state[3] = seed;
  for (let word = 0; word < padded / 4; word += 4) {
    mixBlock(state, scratch[word] as number, scratch[word + 1] as number, scratch[word + 2] as number, scratch[word + 3] as number);
  }
  finish(state, length);
}

/** Takes four words in. */
export function mixBlock(state: State, w0: number, w1: number, w2: number, w3: number): void {
  let [h0, h1, h2, h3] = state;
  h0 ^= Math.imul(rotate(Math.imul(w0, C1), 15), C2);
  h0 = (Math.imul(rotate(h0, 19) + h1, 5) + 0x561c_cd1b) | 0;
  h1 ^= Math.imul(rotate(Math.imul(w1, C2), 16), C3);
  h1 = (Math.imul(rotate(h1, 17) + h2, 5) + 0x0bca_a747) | 0;
  h2 ^= Math.imul(rotate(Math.imul(w2, C3), 17), C4);
  h2 = (Math.imul(rotate(h2, 15) + h3, 5) + 0x96cd_1c35) | 0;
  h3 ^= Math.imul(rotate(Math.imul(w3, C4), 18), C1);
  h3 = (Math.imul(rotate(h3, 13) + h0, 5) + 0x32ac_3b17) | 0;
  state[0] = h0;
  state[1] = h1;
  state[2] = h2;
  state[3] = h3;
}

/** Ends it: every word depends on every other one. */
export function finish(state: State, length: number): void {
  addUp(state, length);
  for (let i = 0; i < 4; i++) state[i] = finalMix(state[i] as number);
  addUp(state, 0);
}

function addUp(state: State, length: number): void {
  const h0 = ((state[0] ^ length) + (state[1] ^ length) + (state[2] ^ length) + (state[3] ^ length)) | 0;
  state[0] = h0;
  state[1] = ((state[1] ^ length) + h0) | 0;
  state[2] = ((state[2] ^ length) + h0) | 0;
  state[3] = ((state[3] ^ length) + h0) | 0;
}

/** Stretches 128 bits over `out`. */
export function squeeze(state: Readonly<State>, out: Uint8Array): void {
  for (let at = 0; at < out.length; at += 4) {
    const i = at >>> 2;
    const word = finalMix((state[i & 3] as number) ^ Math.imul(i + 1, 0x9e37_79b1)) + (state[(i + 1) & 3] as number);
    // Beyond the end of an array nothing is written.
    out[at] = word;
    out[at + 1] = word >>> 8;
    out[at + 2] = word >>> 16;
    out[at + 3] = word >>> 24;
  }
}

/** `length` bytes that follow from `parts` and `seed`, and look random. */
export function expand(seed: number, length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(length);
  const state: State = [0, 0, 0, 0];
  absorb(state, seed, parts);
  squeeze(state, out);
  return out;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
