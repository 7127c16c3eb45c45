import type { LinkAttempt, LinkSource } from '@matryoshka/peer';
import type { CloseReason, Link } from '@matryoshka/transport';
import { type Endpoint, sameEndpoint } from '@matryoshka/wire';

export interface DirectSourceParts {
  /** Where the session is opened, and where it is looked for first after each fault. */
  readonly dialled: Endpoint;
  /** All places where the peer is known to be. */
  readonly known: () => readonly Endpoint[];
  readonly dial: (to: Endpoint, first: Uint8Array, signal: AbortSignal) => Promise<Link>;
}

/**
 * The links of a direct session: to where it was dialled, and after a fault to the other places of the peer as well, in
 * turn. The resume proves that it is the same peer, wherever it is found.
 */
export class DirectSource implements LinkSource {
  readonly #parts: DirectSourceParts;
  /** The fault that attempts are made for. */
  #reason: CloseReason | undefined;
  #attempts = 0;

  constructor(parts: DirectSourceParts) {
    this.#parts = parts;
  }

  next({ first, reason }: LinkAttempt, signal: AbortSignal): Promise<Link> {
    const { dial, dialled, known } = this.#parts;
    if (reason !== this.#reason) this.#attempts = 0;
    this.#reason = reason;
    const others = reason === undefined ? [] : known().filter((endpoint) => !sameEndpoint(endpoint, dialled));
    const places = [dialled, ...others];
    return dial(places[this.#attempts++ % places.length] as Endpoint, first, signal);
  }
}
