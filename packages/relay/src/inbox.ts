import { Queue } from '@matryoshka/session';
import { MatryoshkaError, asMatryoshkaError } from '@matryoshka/wire';
import { Reassembly } from './reassembly.ts';
import type { RelayWindow } from './relay-window.ts';

/** A whole message that waits for an owner. */
interface Held {
  readonly message: Uint8Array;
  /** Credit it used; 0 for the answer of the handshake, which came inside `accepted`. */
  readonly creditBytes: number;
}

/** What an inbox tells the link it belongs to. */
export interface InboxHost {
  /** The other side is to be granted more. */
  grant(): void;
  /** The far end does not keep to the rules; relays in between may not know. */
  misused(error: MatryoshkaError): void;
}

/**
 * The receiving half of one end of a relay link: joins pieces into messages, keeps them for an owner that is not there
 * yet or has paused, and grants credit as messages are handled. What it keeps is bounded by the window and one message
 * under assembly: pieces behind a message that waits are not credited before it is handled (principle 4).
 */
export class Inbox {
  readonly #window: RelayWindow;
  readonly #host: InboxHost;
  readonly #reassembly = new Reassembly();
  readonly #held = new Queue<Held>();
  #heldBytes = 0;
  /** Bytes of the message under assembly that are not credited again yet. */
  #uncredited = 0;

  /** @param window - credit granted to the other side */
  constructor(window: RelayWindow, host: InboxHost) {
    this.#window = window;
    this.#host = host;
  }

  /** Whether no message waits. */
  get empty(): boolean {
    return this.#held.length === 0;
  }

  /** Bytes of whole messages that wait for an owner. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes the answer of the handshake: it is the link's first message, and no relay data. Copied. */
  answer(bytes: Uint8Array): void {
    this.#hold({ message: bytes.slice(), creditBytes: 0 });
  }

  /**
   * Takes relay data. A message that is complete with it goes to `deliver` as a view that is valid during the call;
   * without `deliver` it is kept.
   * @throws MatryoshkaError `relay.protocol`, `session.credit-exceeded`: what the neighbour itself is to blame for
   */
  data(bytes: Uint8Array, more: boolean, deliver: ((message: Uint8Array) => void) | undefined): void {
    if (bytes.length === 0) throw new MatryoshkaError('relay.protocol', 'empty relay data');
    this.#window.receive(bytes.length);
    let message: Uint8Array | undefined;
    try {
      message = this.#reassembly.add(bytes, more);
    } catch (error) {
      this.#host.misused(asMatryoshkaError(error, 'bug'));
      return;
    }
    this.#uncredited += bytes.length;
    if (message === undefined) {
      // It can be larger than the window: its beginning has to be credited for its end to come.
      if (this.empty) this.#creditAssembly();
    } else if (deliver === undefined || !this.empty) {
      this.#hold({ message: message.slice(), creditBytes: this.#uncredited });
      this.#uncredited = 0;
    } else {
      deliver(message);
      this.#creditAssembly();
    }
  }

  /** Hands the oldest message that waits to `deliver`; false where none does. */
  deliverOne(deliver: (message: Uint8Array) => void): boolean {
    const held = this.#held.shift();
    if (held === undefined) return false;
    this.#heldBytes -= held.message.length;
    deliver(held.message);
    this.#credit(held.creditBytes);
    if (this.empty) this.#creditAssembly();
    return true;
  }

  /** Nothing more will come: lets go of the message under assembly. */
  end(): void {
    this.#reassembly.release();
    this.#uncredited = 0;
  }

  /** Nobody wants what waits. */
  discard(): void {
    this.end();
    this.#held.clear();
    this.#heldBytes = 0;
  }

  #hold(held: Held): void {
    this.#held.push(held);
    this.#heldBytes += held.message.length;
  }

  #creditAssembly(): void {
    const bytes = this.#uncredited;
    this.#uncredited = 0;
    this.#credit(bytes);
  }

  #credit(bytes: number): void {
    if (bytes === 0) return;
    if (this.#window.consume(bytes)) this.#host.grant();
  }
}
