import {
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  IDENTITY_PAYLOAD_LENGTH,
  MatryoshkaError,
  type PatternName,
  SELECTOR_LENGTH,
  type SuiteName,
  Writer,
  encodeIdentityPayload,
} from '@matryoshka/wire';
import type { CryptoProvider, DhKeyPair } from './crypto.ts';
import {
  OneTimeStatic,
  type SessionKeys,
  THIRD_MESSAGE_LENGTHS,
  assertHour,
  deriveSessionKeys,
  prologueOf,
  selectedProtocol,
  selectorBytes,
} from './handshake.ts';
import { HandshakeProgress } from './handshake-progress.ts';
import type { Identity } from './identity.ts';
import { type KeyPairSource, freshKeyPairs } from './key-pair-source.ts';
import { HandshakeState } from './noise/handshake-state.ts';
import type { PeerId } from './peer-id.ts';
import type { Random } from './random.ts';
import { type ProofContext, VerifiedPeer, decodeProof, proveIdentity } from './remote-identity.ts';

/** What an initiator decides, and what it brings along. */
export interface InitiatorOptions {
  /** Cryptography. */
  readonly provider: CryptoProvider;
  /** Randomness. */
  readonly random: Random;
  /** Where one-time key pairs come from, such as a reserve; made of `random` by default. */
  readonly keyPairs?: KeyPairSource | undefined;
  /** AEAD of the handshake and of the records after it. */
  readonly suite: SuiteName;
  /** NK for circuit hops whose static key is known, XX for everything else. */
  readonly pattern: PatternName;
  /** From `networkKeyPsk`, 32 bytes; borrowed until the end. */
  readonly psk: Uint8Array;
  /** Hours since 1970 now. */
  readonly hour: number;
  /** Who we are, only in XX. Without it we are anonymous, which nobody on the way can see. */
  readonly identity?: Identity | undefined;
  /** Who the other side must be. */
  readonly demand?: PeerId | undefined;
  /** The responder's static key, 32 bytes; in NK, and only there. Copied. */
  readonly remoteStatic?: Uint8Array | undefined;
  /** A static key to use in XX instead of a one-time one. Stays the caller's. */
  readonly staticKey?: DhKeyPair | undefined;
}

/**
 * The side of a handshake that opened the link (docs/protocol.md §3): `request`, `answer`, `opening`, then `keys`. After
 * an error there is nothing left but to try again with a new one.
 */
export class InitiatorHandshake {
  readonly #options: InitiatorOptions;
  readonly #noise: HandshakeState;
  readonly #progress: HandshakeProgress;

  /** @throws TypeError, RangeError for options that do not fit together */
  constructor(options: InitiatorOptions) {
    const { provider, random, pattern, suite } = options;
    if (pattern === 'NK' && (options.identity ?? options.staticKey) !== undefined) throw new TypeError('the initiator is anonymous in NK');
    assertHour(options.hour);
    const keyPairs = options.keyPairs ?? freshKeyPairs(provider, random);
    const oneTime = pattern === 'XX' && options.staticKey === undefined ? new OneTimeStatic(keyPairs) : undefined;
    this.#options = options;
    this.#noise = new HandshakeState({
      provider,
      random,
      keyPairs,
      protocol: selectedProtocol(options),
      role: 'initiator',
      prologue: prologueOf(options),
      psks: [options.psk],
      staticKey: options.staticKey ?? oneTime,
      remoteStatic: options.remoteStatic,
    });
    this.#progress = new HandshakeProgress(
      () => deriveSessionKeys(this.#noise, 'initiator', suite),
      () => {
        this.#noise.wipe();
        oneTime?.wipe();
      },
    );
  }

  /** The first message, 1,280 bytes, newly allocated. */
  request(): Uint8Array {
    return this.#progress.take('request', () => {
      const message = new Uint8Array(HANDSHAKE_REQUEST_LENGTH);
      message.set(selectorBytes(this.#options));
      // Behind the hour zeros, as many as the pattern leaves room for.
      const payload = new Uint8Array(message.length - SELECTOR_LENGTH - this.#noise.overhead);
      new Writer(payload).u32(this.#options.hour);
      this.#noise.write(payload, message.subarray(SELECTOR_LENGTH));
      return message;
    });
  }

  /**
   * Takes the answer, 1,344 bytes, which it borrows during the call: who the responder is.
   * @throws MatryoshkaError `session.handshake-failed`; `session.wrong-peer` for another one than the demanded
   */
  answer(message: Uint8Array): VerifiedPeer {
    return this.#progress.take('answer', () => {
      if (message.length !== HANDSHAKE_ANSWER_LENGTH) throw new MatryoshkaError('session.handshake-failed');
      const { payload, hash } = this.#noise.read(message);
      const proof = decodeProof(payload);
      // A responder always says who it is.
      if (proof === undefined) throw new MatryoshkaError('session.handshake-failed');
      const peer = VerifiedPeer.verify(this.#options.provider, proof, this.#proofContext('responder', hash));
      const { demand } = this.#options;
      if (demand !== undefined && demand !== peer.peerId) {
        throw new MatryoshkaError('session.wrong-peer', `${peer.peerId} answered where ${demand} was demanded`);
      }
      return peer;
    });
  }

  /**
   * Writes the third message into the beginning of `out` and returns its length: 161 bytes in XX, 0 in NK, where there
   * is none. The first record goes behind it, into the same link message.
   * @throws RangeError where it does not fit
   */
  opening(out: Uint8Array): number {
    const length = THIRD_MESSAGE_LENGTHS[this.#options.pattern];
    if (out.length < length) throw new RangeError(`${length} bytes do not fit into ${out.length}`);
    return this.#progress.take('opening', () => {
      if (length === 0) return 0;
      return this.#noise.write((hash) => {
        const payload = new Uint8Array(IDENTITY_PAYLOAD_LENGTH);
        const { identity } = this.#options;
        if (identity !== undefined)
          encodeIdentityPayload(new Writer(payload), proveIdentity(identity, this.#proofContext('initiator', hash)));
        return payload;
      }, out);
    });
  }

  /** @throws TypeError before the opening is written */
  get keys(): SessionKeys {
    return this.#progress.keys;
  }

  /** Gives up: overwrites its secrets. After the end it does nothing. */
  abandon(): void {
    this.#progress.fail();
  }

  #proofContext(role: ProofContext['role'], hash: Uint8Array): ProofContext {
    return { role, protocolName: selectedProtocol(this.#options).name, hash };
  }
}
