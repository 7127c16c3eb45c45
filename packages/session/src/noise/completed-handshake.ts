import type { Role } from './pattern.ts';
import type { SymmetricState } from './symmetric-state.ts';

/** What a handshake leaves behind (Noise §5.2 Split, §11.2). */
export class CompletedHandshake {
  /** Transport key of what we send, 32 bytes, at nonce 0. In a one-way pattern the responder's is never used. */
  readonly send: Uint8Array;
  /** Transport key of what we receive, 32 bytes, at nonce 0. */
  readonly receive: Uint8Array;
  /** Identifies this handshake for channel binding; not secret. HASHLEN bytes. */
  readonly handshakeHash: Uint8Array;
  readonly #symmetric: SymmetricState;
  #wiped = false;

  constructor(symmetric: SymmetricState, role: Role) {
    const { initiator, responder } = symmetric.split();
    this.send = role === 'initiator' ? initiator : responder;
    this.receive = role === 'initiator' ? responder : initiator;
    this.handshakeHash = symmetric.getHandshakeHash();
    this.#symmetric = symmetric;
  }

  /**
   * HMAC-HASH(ck, `label` ‖ handshake hash), HASHLEN bytes, with the final chaining key. Secrets of different labels
   * tell nothing about each other or the transport keys.
   * @throws RangeError for an empty label; TypeError after `wipe`
   */
  exportSecret(label: Uint8Array): Uint8Array {
    if (this.#wiped) throw new TypeError('the chaining key is wiped');
    return this.#symmetric.exportSecret(label);
  }

  /** Overwrites the chaining key; no more secrets can be exported. The transport keys are the caller's. */
  wipe(): void {
    this.#wiped = true;
    this.#symmetric.wipe();
  }
}
