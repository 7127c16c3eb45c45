import type { SessionKeys } from './handshake.ts';

/** The three link messages of a handshake, on either side (docs/protocol.md §3.2). */
export type HandshakeStep = 'request' | 'answer' | 'opening';

type State = { readonly type: HandshakeStep } | { readonly type: 'done'; readonly keys: SessionKeys } | { readonly type: 'failed' };

/** Where a handshake stands. All transitions are here: request → answer → opening → done, and from each to failed. */
export class HandshakeProgress {
  readonly #finish: () => SessionKeys;
  readonly #wipe: () => void;
  #state: State = { type: 'request' };

  /** `finish` makes the keys after the opening; `wipe` overwrites secrets, at the end whatever it was. */
  constructor(finish: () => SessionKeys, wipe: () => void) {
    this.#finish = finish;
    this.#wipe = wipe;
  }

  /** Runs one step; whatever it throws ends the handshake. @throws TypeError when another step is due */
  take<T>(step: HandshakeStep, run: () => T): T {
    if (this.#state.type !== step) throw new TypeError(`no ${step} now: the handshake is at ${this.#state.type}`);
    try {
      const value = run();
      this.#state = this.#after(step);
      if (this.#state.type === 'done') this.#wipe();
      return value;
    } catch (error) {
      this.fail();
      throw error;
    }
  }

  /** Gives up. Harmless after the end. */
  fail(): void {
    if (this.#state.type === 'done') return;
    this.#state = { type: 'failed' };
    this.#wipe();
  }

  /** @throws TypeError before the end */
  get keys(): SessionKeys {
    if (this.#state.type !== 'done') throw new TypeError(`no keys: the handshake is at ${this.#state.type}`);
    return this.#state.keys;
  }

  #after(step: HandshakeStep): State {
    switch (step) {
      case 'request':
        return { type: 'answer' };
      case 'answer':
        return { type: 'opening' };
      case 'opening':
        return { type: 'done', keys: this.#finish() };
      default:
        return step satisfies never;
    }
  }
}
