import type { CloseReason, LinkHandler } from '../link.ts';

/** An owner that writes down what happens to it. */
export class Recorder implements LinkHandler {
  /** Copies of what came, in order. */
  readonly messages: Uint8Array[] = [];
  /** What it was closed with: one, if the contract is kept. */
  readonly reasons: CloseReason[] = [];
  /** The newest count of `written`. */
  writtenSends = 0;
  /** Calls of `writable`. */
  writables = 0;
  /** Callbacks after `closed`. */
  late = 0;
  readonly #onMessage: ((bytes: Uint8Array) => void) | undefined;
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  constructor(onMessage?: (bytes: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  message(bytes: Uint8Array): void {
    this.messages.push(bytes.slice());
    this.#onMessage?.(bytes);
    this.#happened();
  }

  written(sends: number): void {
    this.writtenSends = sends;
    this.#happened();
  }

  writable(): void {
    this.writables++;
    this.#happened();
  }

  stalled(): void {}

  /** Nothing to note. */
  flowing(): void {}

  closed(reason: CloseReason): void {
    this.reasons.push(reason);
    if (this.reasons.length > 1) this.late++;
    this.#wake();
  }

  /** Resolves when `holds`, which is asked after each callback. */
  until(holds: (self: this) => boolean): Promise<void> {
    if (holds(this)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ holds: () => holds(this), resolve });
    });
  }

  #happened(): void {
    if (this.reasons.length > 0) this.late++;
    this.#wake();
  }

  #wake(): void {
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      const held = holds();
      if (held) resolve();
      return !held;
    });
  }
}
