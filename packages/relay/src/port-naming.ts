import type { Session } from '@matryoshka/peer';
import { type Random, randomU64 } from '@matryoshka/session';
import type { LinkRegistry } from './link-registry.ts';

/**
 * How the relay port goes on along a path (R6): the same number everywhere, as the seed has it, or another one on every
 * hop, so that it does not tell that two of them carry the same link.
 */
export type RelayPorts = 'end-to-end' | 'per-hop';

/** Where the one-time key begins in a first handshake message, behind the selector (docs/protocol.md §3.1). */
const KEY_OFFSET = 3;

/**
 * What tells a request when it comes again, whatever its port: 64 bits of the one-time key that its handshake begins with.
 * @param first - the first handshake message
 */
export function requestMark(first: Uint8Array): bigint {
  return new DataView(first.buffer, first.byteOffset, first.byteLength).getBigUint64(KEY_OFFSET);
}

/** Finds the numbers of relay links (R6). */
export class PortNaming {
  readonly #links: LinkRegistry;
  readonly #random: Random;
  #ports: RelayPorts;

  constructor(links: LinkRegistry, random: Random, ports: RelayPorts) {
    this.#links = links;
    this.#random = random;
    this.#ports = ports;
  }

  /** From now on the ports of new links go on like this. */
  set(ports: RelayPorts): void {
    this.#ports = ports;
  }

  /** Random, so that nobody can tell whose it is; never one that this node has anywhere. */
  fresh(session: Session): bigint {
    for (;;) {
      const port = randomU64(this.#random);
      if (!this.#links.held(port) && !this.#links.taken(session, port)) return port;
    }
  }

  /** The port on `session` of a link that came with `port`. */
  onward(session: Session, port: bigint): bigint {
    return this.#ports === 'end-to-end' ? port : this.fresh(session);
  }

  /** Whether a link that came with `port` can go on over `session`. */
  free(session: Session, port: bigint): boolean {
    return this.#ports === 'per-hop' || !this.#links.taken(session, port);
  }
}
