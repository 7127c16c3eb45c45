import type { SuiteName } from '@matryoshka/wire';
import type { State } from './mixing.ts';

/** More of them say nothing new. */
const MAX_VIOLATIONS = 100;

/** One sealing under a key. */
interface Use {
  readonly by: string;
  readonly atMs: number;
  readonly length: number;
  readonly tagA: number;
  readonly tagB: number;
}

/**
 * Writes down every sealing of all providers that share it. A key and a nonce that seal two different things are a
 * violation: whoever reads both has the difference of their contents.
 */
export class SealRecord {
  readonly #now: () => number;
  readonly #keys = new Map<string, Map<number | string, Use>>();
  readonly #violations: string[] = [];
  #seals = 0;

  /** @param now - virtual time in milliseconds, for the report */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** Sealings so far. */
  get seals(): number {
    return this.#seals;
  }

  /** Each names both uses; 100 at most. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Where `by` writes down its uses of a key. */
  key(by: string, suite: SuiteName, key: Readonly<State>): KeyUses {
    const name = `${suite} ${key.map(hex).join('')}`;
    let uses = this.#keys.get(name);
    if (uses === undefined) {
      uses = new Map();
      this.#keys.set(name, uses);
    }
    return { sealed: (nonce, tagA, tagB, length) => this.#sealed(name, uses, nonce, { by, atMs: this.#now(), length, tagA, tagB }) };
  }

  #sealed(key: string, uses: Map<number | string, Use>, nonce: Uint8Array, use: Use): void {
    this.#seals++;
    const number = nonceNumber(nonce);
    const before = uses.get(number);
    uses.set(number, use);
    if (before === undefined || (before.tagA === use.tagA && before.tagB === use.tagB)) return;
    if (this.#violations.length >= MAX_VIOLATIONS) return;
    this.#violations.push(
      `key ${key} sealed twice with nonce ${[...nonce].map((byte) => byte.toString(16).padStart(2, '0')).join('')}: ${told(before)}, then ${told(use)}`,
    );
  }
}

/** The uses of one key. */
export interface KeyUses {
  /** @param tagA @param tagB - 64 bits that differ where contents or associated data do */
  sealed(nonce: Uint8Array, tagA: number, tagB: number, length: number): void;
}

/** A name for the nonce; a number for the counters that protocols use, from either end. */
function nonceNumber(nonce: Uint8Array): number | string {
  const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.length);
  const [first, second, third] = [view.getUint32(0), view.getUint32(4, true), view.getUint32(8)];
  if (first === 0 && third === 0) return second;
  return first === 0 && second === 0 ? -third : `${first} ${second} ${third}`;
}

function told({ by, atMs, length }: Use): string {
  return `${length} bytes by ${by} at ${atMs} ms`;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
