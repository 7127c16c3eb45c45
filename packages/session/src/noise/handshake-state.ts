import { MatryoshkaError } from '@matryoshka/wire';
import type { CryptoProvider, DhKeyPair, KemKeyPair } from '../crypto.ts';
import { type KeyPairSource, freshKeyPairs } from '../key-pair-source.ts';
import type { Random } from '../random.ts';
import { CompletedHandshake } from './completed-handshake.ts';
import { EphemeralKeys } from './ephemeral-keys.ts';
import { type HandshakeKeys, assertBytes, assertHandshakeKeys } from './handshake-keys.ts';
import { DH_LENGTH, KEM_CIPHERTEXT_LENGTH, KEM_PUBLIC_KEY_LENGTH, MAX_NOISE_MESSAGE_LENGTH } from './key-lengths.ts';
import { messageOverheads } from './message-overhead.ts';
import { type DhToken, type Role, type Token, isDh, senderOf } from './pattern.ts';
import { assertValidPattern } from './pattern-validity.ts';
import type { NoiseProtocol } from './protocol-name.ts';
import { SymmetricState } from './symmetric-state.ts';

const EMPTY = new Uint8Array(0);

/** What a handshake starts from (Noise §5.3 Initialize). */
export interface HandshakeOptions extends HandshakeKeys {
  /** Cryptography. */
  readonly provider: CryptoProvider;
  /**
   * Asked for the secret of `e` (32 bytes), the seed of `e1` (64 bytes) and the randomness of `ekem1` (32 bytes), each
   * when its token is sent.
   */
  readonly random: Random;
  /** Where `e` and `e1` come from, when their tokens are sent; made of `random` by default. */
  readonly keyPairs?: KeyPairSource | undefined;
  /** Which protocol, parsed from its name. */
  readonly protocol: NoiseProtocol;
  /** Which side we are. */
  readonly role: Role;
  /** A fresh key pair to use as `e` instead of making one. The handshake takes it over and wipes it. */
  readonly ephemeral?: DhKeyPair | undefined;
  /** The same for `e1`. */
  readonly kemEphemeral?: KemKeyPair | undefined;
}

/** What `read` found in a message. Both arrays are the caller's to keep. */
export interface ReceivedPayload {
  /** What was encrypted in the message. */
  readonly payload: Uint8Array;
  /** The handshake hash after the tokens of this message, before its payload: what an identity signs. */
  readonly hash: Uint8Array;
}

type State =
  /** The message `index` is ours to write, or the other side's. */
  | { readonly type: 'write' | 'read'; readonly index: number }
  | { readonly type: 'done'; readonly result: CompletedHandshake }
  | { readonly type: 'failed' };

/**
 * One side of a Noise handshake (Noise Protocol Framework revision 34, §5.3), with the KEM tokens of Noise HFS
 * revision 1. `write` and `read` take turns as the pattern says; after its last message `done` holds the result.
 *
 * Nothing is to be believed of a payload before a DH that authenticates its sender (Noise §7.7). After an error nothing
 * can be done with it any more.
 */
export class HandshakeState {
  readonly #provider: CryptoProvider;
  readonly #random: Random;
  readonly #role: Role;
  readonly #protocol: NoiseProtocol;
  readonly #overheads: readonly number[];
  readonly #symmetric: SymmetricState;
  readonly #psks: readonly Uint8Array[];
  readonly #s: DhKeyPair | undefined;
  readonly #ephemeral: EphemeralKeys;
  #rs: Uint8Array | undefined;
  #re: Uint8Array | undefined;
  #re1: Uint8Array | undefined;
  #pskIndex = 0;
  #state: State;

  /**
   * @throws TypeError for a key the pattern needs and does not get, or gets and does not take; RangeError for one of
   * another length, or a pattern that is not valid
   */
  constructor(options: HandshakeOptions) {
    const { protocol, role } = options;
    assertValidPattern(protocol.pattern);
    assertHandshakeKeys(protocol.pattern, role, options);
    this.#provider = options.provider;
    this.#random = options.random;
    this.#role = role;
    this.#protocol = protocol;
    this.#overheads = messageOverheads(protocol.pattern);
    this.#psks = options.psks ?? [];
    this.#s = options.staticKey;
    this.#rs = options.remoteStatic?.slice();
    this.#ephemeral = new EphemeralKeys(
      options.keyPairs ?? freshKeyPairs(options.provider, options.random),
      options.ephemeral,
      options.kemEphemeral,
    );
    this.#symmetric = new SymmetricState(options.provider, protocol);
    this.#symmetric.mixHash(options.prologue ?? EMPTY);
    for (const known of protocol.pattern.preMessages) {
      this.#symmetric.mixHash(known === role ? present(this.#s).publicKey : present(this.#rs));
    }
    this.#state = { type: this.#typeOf(0), index: 0 };
  }

  /** The result, once the last message is written or read. */
  get done(): CompletedHandshake | undefined {
    return this.#state.type === 'done' ? this.#state.result : undefined;
  }

  /** Whose turn it is: ours to `write`, ours to `read`, or nobody's any more. */
  get turn(): 'write' | 'read' | 'over' {
    return this.#state.type === 'write' || this.#state.type === 'read' ? this.#state.type : 'over';
  }

  /** Bytes of the next message besides its payload; 0 when there is none. */
  get overhead(): number {
    return 'index' in this.#state ? (this.#overheads[this.#state.index] as number) : 0;
  }

  /** The other side's static public key, as soon as it is known: a view. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#rs;
  }

  /**
   * Writes the next message into `out` and returns its length, `overhead` + payload. The payload must not overlap
   * `out`; as a function it is called with the handshake hash after this message's tokens, before its payload.
   * @throws TypeError when it is not our turn, RangeError where it does not fit into `out` or 65,535 bytes
   * @throws MatryoshkaError `session.handshake-failed` for a KEM key of the other side that cannot be used
   */
  write(payload: Uint8Array | ((hash: Uint8Array) => Uint8Array), out: Uint8Array): number {
    const index = this.#expect('write');
    assertBytes(out, 'the output of a message');
    if (typeof payload !== 'function') assertBytes(payload, 'a payload');
    const space = Math.min(out.length, MAX_NOISE_MESSAGE_LENGTH);
    this.#assertFits(typeof payload === 'function' ? 0 : payload.length, space);
    return this.#orFail(() => {
      let at = 0;
      for (const token of this.#protocol.pattern.messages[index] as readonly Token[]) at += this.#send(token, out.subarray(at));
      const bytes = typeof payload === 'function' ? payload(this.#symmetric.getHandshakeHash()) : payload;
      assertBytes(bytes, 'a payload');
      this.#assertFits(bytes.length, space);
      at += this.#symmetric.encryptAndHash(bytes, out.subarray(at));
      this.#advance(index);
      return at;
    });
  }

  /**
   * Reads the other side's next message, which it borrows during the call.
   * @throws TypeError when it is not the other side's turn
   * @throws MatryoshkaError `session.handshake-failed` for whatever is wrong with the message
   */
  read(message: Uint8Array): ReceivedPayload {
    const index = this.#expect('read');
    assertBytes(message, 'a message');
    return this.#orFail(() => {
      // All token lengths are fixed: what is long enough here never runs short below.
      if (message.length < this.overhead || message.length > MAX_NOISE_MESSAGE_LENGTH) throw failure();
      let at = 0;
      for (const token of this.#protocol.pattern.messages[index] as readonly Token[]) at += this.#receive(token, message.subarray(at));
      const hash = this.#symmetric.getHandshakeHash();
      const payload = this.#decrypt(message.subarray(at));
      this.#advance(index);
      return { payload, hash };
    });
  }

  /** Overwrites every secret but the transport keys of a result; a handshake that is not done has failed. Idempotent. */
  wipe(): void {
    if (this.#state.type === 'done') this.#state.result.wipe();
    else this.#state = { type: 'failed' };
    this.#symmetric.wipe();
    this.#ephemeral.wipe();
  }

  #typeOf(index: number): 'write' | 'read' {
    return senderOf(index) === this.#role ? 'write' : 'read';
  }

  #expect(type: 'write' | 'read'): number {
    if (this.#state.type !== type) throw new TypeError(`the handshake cannot ${type} now: its turn is ${this.turn}`);
    return this.#state.index;
  }

  // The only ways on: to the next message, to the result, to failure.
  #advance(index: number): void {
    if (index + 1 < this.#protocol.pattern.messages.length) {
      this.#state = { type: this.#typeOf(index + 1), index: index + 1 };
      return;
    }
    this.#state = { type: 'done', result: new CompletedHandshake(this.#provider, this.#protocol, this.#symmetric, this.#role) };
    this.#ephemeral.wipe();
  }

  #orFail<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  #send(token: Token, out: Uint8Array): number {
    if (token === 'psk' || isDh(token)) return this.#mix(token);
    switch (token) {
      case 'e': {
        const { publicKey } = this.#ephemeral.e;
        out.set(publicKey);
        this.#mixEphemeral(publicKey);
        return DH_LENGTH;
      }
      case 's':
        return this.#symmetric.encryptAndHash(present(this.#s).publicKey, out);
      case 'e1':
        return this.#symmetric.encryptAndHash(this.#ephemeral.e1.publicKey, out);
      case 'ekem1': {
        const { ciphertext, shared } = this.#encapsulate(present(this.#re1));
        const length = this.#symmetric.encryptAndHash(ciphertext, out);
        this.#mixSecret(shared);
        return length;
      }
      default:
        return token satisfies never;
    }
  }

  #receive(token: Token, message: Uint8Array): number {
    if (token === 'psk' || isDh(token)) return this.#mix(token);
    switch (token) {
      case 'e':
        this.#re = message.slice(0, DH_LENGTH);
        this.#mixEphemeral(this.#re);
        return DH_LENGTH;
      case 's': {
        const length = DH_LENGTH + this.#symmetric.overhead;
        this.#rs = this.#decrypt(message.subarray(0, length));
        return length;
      }
      case 'e1': {
        const length = KEM_PUBLIC_KEY_LENGTH + this.#symmetric.overhead;
        this.#re1 = this.#decrypt(message.subarray(0, length));
        return length;
      }
      case 'ekem1': {
        const length = KEM_CIPHERTEXT_LENGTH + this.#symmetric.overhead;
        this.#mixSecret(this.#ephemeral.e1.decapsulate(this.#decrypt(message.subarray(0, length))));
        return length;
      }
      default:
        return token satisfies never;
    }
  }

  // The tokens that send nothing.
  #mix(token: 'psk' | DhToken): 0 {
    if (token === 'psk') {
      this.#symmetric.mixKeyAndHash(this.#psks[this.#pskIndex++] as Uint8Array);
      return 0;
    }
    // The first letter is the initiator's key, the second the responder's.
    const own = token[this.#role === 'initiator' ? 0 : 1] === 'e' ? this.#ephemeral.e : this.#s;
    const remote = token[this.#role === 'initiator' ? 1 : 0] === 'e' ? this.#re : this.#rs;
    this.#mixSecret(present(own).shared(present(remote)));
    return 0;
  }

  #mixSecret(secret: Uint8Array): void {
    this.#symmetric.mixKey(secret);
    secret.fill(0);
  }

  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    // Noise §9.2: with a psk, whose key must never meet the same nonce twice, `e` goes into the key as well.
    if (this.#psks.length > 0) this.#symmetric.mixKey(publicKey);
  }

  #encapsulate(publicKey: Uint8Array): { readonly ciphertext: Uint8Array; readonly shared: Uint8Array } {
    try {
      return this.#provider.kemEncapsulate(publicKey, this.#random);
    } catch (cause) {
      if (cause instanceof MatryoshkaError && cause.code === 'session.handshake-failed') throw failure();
      throw cause;
    }
  }

  #decrypt(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#symmetric.decryptAndHash(ciphertext);
    if (plaintext === undefined) throw failure();
    return plaintext;
  }

  #assertFits(payloadLength: number, space: number): void {
    const length = this.overhead + payloadLength;
    if (length > space) throw new RangeError(`a message of ${length} bytes does not fit into ${space}`);
  }
}

// What failed is nobody's business but ours, and hardly ours: no detail, ever.
function failure(): MatryoshkaError {
  return new MatryoshkaError('session.handshake-failed');
}

// Patterns are checked for computability, so this is about our own mistakes.
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new MatryoshkaError('bug', 'a key is missing that a valid pattern has');
  return value;
}
