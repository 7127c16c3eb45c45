import type { CryptoProvider } from '../crypto.ts';
import { CipherState } from './cipher-state.ts';
import type { Role } from './pattern.ts';
import type { NoiseProtocol } from './protocol-name.ts';
import type { SymmetricState } from './symmetric-state.ts';

/** What a handshake leaves behind (Noise §5.2 Split, §11.2). */
export class CompletedHandshake {
  /** Transport key of what we send, 32 bytes, at nonce 0. In a one-way pattern the responder's is never used. */
  readonly send: Uint8Array;
  /** Transport key of what we receive, 32 bytes, at nonce 0. */
  readonly receive: Uint8Array;
  /** Identifies this handshake for channel binding; not secret. HASHLEN bytes. */
  readonly handshakeHash: Uint8Array;
  readonly #provider: CryptoProvider;
  readonly #protocol: NoiseProtocol;
  readonly #symmetric: SymmetricState;
  readonly #role: Role;
  #wiped = false;

  constructor(provider: CryptoProvider, protocol: NoiseProtocol, symmetric: SymmetricState, role: Role) {
    const { initiator, responder } = symmetric.split();
    this.send = role === 'initiator' ? initiator : responder;
    this.receive = role === 'initiator' ? responder : initiator;
    this.handshakeHash = symmetric.getHandshakeHash();
    this.#provider = provider;
    this.#protocol = protocol;
    this.#symmetric = symmetric;
    this.#role = role;
  }

  /**
   * New ciphers for transport messages (Noise §5.2, §7.4), which begin at message 0: to be asked for once. After a one-way
   * handshake only the initiator sends, so its `receive` and the responder's `send` are undefined.
   */
  transport(): { readonly send: CipherState | undefined; readonly receive: CipherState | undefined } {
    const cipher = (sender: Role, key: Uint8Array): CipherState | undefined => {
      if (sender === 'responder' && this.#protocol.pattern.messages.length === 1) return undefined;
      const state = new CipherState(this.#provider, this.#protocol.suite);
      state.initializeKey(key.slice());
      return state;
    };
    const remote: Role = this.#role === 'initiator' ? 'responder' : 'initiator';
    return { send: cipher(this.#role, this.send), receive: cipher(remote, this.receive) };
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
