// Two lanes of 32 bits, each step a bijection of its lane (multiplication by an odd number, rotation): one other bit
// anywhere gives another hash, and both lanes together make an accidental match unlikely. It stops nobody who tries.
const PRIME_A = 0x9e37_79b1;
const PRIME_B = 0x85eb_ca77;

/** A running hash over all that arrives in a world, and when: two runs that have the same one were the same run. */
export class Trace {
  #a = 0x243f_6a88;
  #b = 0x85a3_08d3;
  readonly #time = new Float64Array(1);
  readonly #timeWords = new Int32Array(this.#time.buffer);

  /** 16 hex digits. */
  get hash(): string {
    return hex(this.#a) + hex(this.#b);
  }

  /** Takes in that `bytes` arrived at `timeMs` over the link with this number, in this direction. */
  add(timeMs: number, link: number, direction: number, bytes: Uint8Array): void {
    this.#time[0] = timeMs;
    this.#word(this.#timeWords[0] as number);
    this.#word(this.#timeWords[1] as number);
    this.#word(link * 2 + direction);
    this.#word(bytes.length);
    this.#bytes(bytes);
  }

  #word(word: number): void {
    this.#a = step(this.#a, word, PRIME_A);
    this.#b = step(this.#b, word, PRIME_B);
  }

  #bytes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = bytes.length & ~3;
    let a = this.#a;
    let b = this.#b;
    for (let at = 0; at < end; at += 4) {
      const word = view.getInt32(at, true);
      a = step(a, word, PRIME_A);
      b = step(b, word, PRIME_B);
    }
    this.#a = a;
    this.#b = b;
    for (let at = end; at < bytes.length; at++) this.#word(bytes[at] as number);
  }
}

function step(lane: number, word: number, prime: number): number {
  const mixed = Math.imul(lane ^ word, prime);
  return ((mixed << 15) | (mixed >>> 17)) + 0x52dc_e729;
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
