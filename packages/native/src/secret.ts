import { MatryoshkaError } from '@matryoshka/wire';

/** Our own copy of secret bytes. After `wipe()` it cannot be used by mistake as a key of zeros. */
export class Secret {
  #bytes: Uint8Array | undefined;

  /** Copies `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** A view, not a copy. @throws MatryoshkaError `bug` after `wipe()` */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new MatryoshkaError('bug', 'a key was used after it was wiped');
    return this.#bytes;
  }

  /** Overwrites the copy. Idempotent. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}
