import type { CryptoProvider, Random } from '@matryoshka/session';
import type { Endpoint, MatryoshkaError, RelayLimits } from '@matryoshka/wire';
import type { Admission } from './admission.ts';
import type { Clock } from './clock.ts';

/** Largest message of a link, in bytes (docs/protocol.md §2). */
export const MAX_MESSAGE_LENGTH = 65_535;
/** Sends that were taken and are not yet written are kept below this before `send` says stop. */
export const UNSENT_LIMIT_BYTES: number = 128 * 1024;

/** Why a link closed: `closed` or what went wrong. */
export type CloseReason = MatryoshkaError;

/** What a link is made of; for policies and limits only, nothing above decides by it. */
export interface LinkInfo {
  /** Whether it leads to the other end itself or through relays. */
  readonly kind: 'direct' | 'relayed';
  /** Relay links below this one: 0 for a direct link, at most 15. */
  readonly nesting: number;
  /** Opaque ids of the sessions that carry this link, for the loop rule; empty for a direct link. */
  readonly carriers: readonly string[];
  /** What the relays of a relay link allow it, as they told when it was opened (R16). */
  readonly limits?: RelayLimits;
}

/**
 * An ordered, reliable, message-preserving carrier of messages of 1 to 65,535 bytes. What a relayed connection runs
 * over is one, too (principle 1).
 */
export interface Link {
  /** This end. */
  readonly local: Endpoint;
  /** The other end: its address as the platform shows it, for a relayed link the destination as it was named. */
  readonly remote: Endpoint;
  /** What it is made of. */
  readonly info: LinkInfo;
  /** Sets the one owner; a second call hands over. What comes before the first is held back. */
  attach(handler: LinkHandler): void;
  /**
   * Hides lengths under the mask keys of this epoch, 32 bytes each, which are copied: `maskOut` from the next `send()`,
   * `maskIn` from the message after the one being delivered. Does nothing on a link without framing. A link with one takes
   * messages of up to `MAX_VEILED_MESSAGE_LENGTH` bytes before, which those of handshakes are.
   * @throws RangeError for a key of another length, TypeError before each side has sent a message: where there is a framing
   */
  protect(maskOut: Uint8Array, maskIn: Uint8Array): void;
  /**
   * Sends one message made of `parts`. It is always taken; false asks to stop until `writable()`. The parts are
   * borrowed until `written()` counts this send or `closed()` comes. After the close it does nothing and is false.
   * @throws RangeError for an empty or too long message
   */
  send(parts: readonly Uint8Array[]): boolean;
  /** Stops `message()`, for an owner that is still deciding; a session never calls it. */
  pause(): void;
  /** Goes on with what has come meanwhile. */
  resume(): void;
  /**
   * Closes after what was sent has gone out. On an accepted link on which nothing was sent it is the refusal. A framing
   * does not let the other side see which byte it was that did not authenticate: it reads on for a while. Idempotent.
   */
  close(reason?: CloseReason): void;
}

/** The owner of a link: what it hears of. */
export interface LinkHandler {
  /** One message: a view that is valid during the call only, and that the handler may overwrite (it opens in place). */
  message(bytes: Uint8Array): void;
  /** How many sends, counted from the link's beginning, are written and have their parts free again; in order. */
  written(sends: number): void;
  /** `send` said stop and may be called again. */
  writable(): void;
  /** What carries this link is interrupted and may come back; `flowing` says that it did. */
  stalled(): void;
  /** What carries it is there again. */
  flowing(): void;
  /** Exactly once, also after one's own `close()`; nothing follows. */
  closed(reason: CloseReason): void;
}

/** Opens a link and sends the first message on it. The answer is the link's first message. */
export interface Dialer {
  /** @throws MatryoshkaError `transport.dial-failed`, `aborted`, or what the far side refused with */
  dial(to: Endpoint, first: Uint8Array, options: { readonly signal?: AbortSignal }): Promise<Link>;
}

/** Where an accepted link and its first message go. `first` is valid during the call only. */
export type Accept = (link: Link, first: Uint8Array) => void;

/** A listener that hands links over once their first message is there. */
export interface Listener {
  /** Where it listens really, e.g. with the port the system chose. */
  readonly endpoint: Endpoint;
  /** Stops listening; links that were handed over stay. */
  close(): Promise<void>;
}

/** A way to make links: dials, and listens where the platform can. */
export interface Transport extends Dialer {
  /** For people: `tcp`, `websocket`, `memory`. */
  readonly name: string;
  /** Whether `dial` can reach such an endpoint. */
  handles(endpoint: Endpoint): boolean;
  /** @throws MatryoshkaError `transport.listen-failed` that names the endpoint */
  listen?(on: Endpoint, accept: Accept): Promise<Listener>;
}

/** What a node gives to its transports. */
export interface TransportContext {
  /** Time. */
  readonly clock: Clock;
  /** Randomness of veils and paddings. */
  readonly random: Random;
  /** Cryptography of veils and masks. */
  readonly provider: CryptoProvider;
  /** The secret of a closed network: what a framing hides with. Without one a public constant, which hides nothing from those who know it. */
  readonly networkKey?: Uint8Array | undefined;
  /** What its listeners ask about each connection they accept; by default everybody is let in. */
  readonly admission?: Admission | undefined;
}

/** Made once per node, so that a transport gets the node's clock and what it hides with. */
export type TransportFactory = (context: TransportContext) => Transport;

/** Makes a transport that preserves messages and so has no framing: there is nothing for it to hide. */
export type MessageTransportFactory = (context: Pick<TransportContext, 'clock' | 'admission'>) => Transport;
