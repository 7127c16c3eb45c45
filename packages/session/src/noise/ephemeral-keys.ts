import type { DhKeyPair, KemKeyPair } from '../crypto.ts';
import type { KeyPairSource } from '../key-pair-source.ts';

/** Our key pairs of one handshake, `e` and `e1`: given, or taken from `source` when they are first asked for. */
export class EphemeralKeys {
  readonly #source: KeyPairSource;
  #e: DhKeyPair | undefined;
  #e1: KemKeyPair | undefined;

  constructor(source: KeyPairSource, e: DhKeyPair | undefined, e1: KemKeyPair | undefined) {
    this.#source = source;
    this.#e = e;
    this.#e1 = e1;
  }

  get e(): DhKeyPair {
    this.#e ??= this.#source.dhKeyPair();
    return this.#e;
  }

  get e1(): KemKeyPair {
    this.#e1 ??= this.#source.kemKeyPair();
    return this.#e1;
  }

  wipe(): void {
    this.#e?.wipe();
    this.#e1?.wipe();
  }
}
