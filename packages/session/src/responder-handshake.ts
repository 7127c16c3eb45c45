import {
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  MatryoshkaError,
  Reader,
  SELECTOR_LENGTH,
  type Selector,
  type SuiteName,
  Writer,
  decodeSelector,
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
} from './handshake.ts';
import { HandshakeProgress } from './handshake-progress.ts';
import type { Identity } from './identity.ts';
import { type KeyPairSource, freshKeyPairs } from './key-pair-source.ts';
import { HandshakeState } from './noise/handshake-state.ts';
import type { Random } from './random.ts';
import { ANONYMOUS_PEER, type ProofContext, type RemoteIdentity, VerifiedPeer, decodeProof, proveIdentity } from './remote-identity.ts';

// docs/protocol.md §3.2: how far the hour of a request may be from ours.
const MAX_HOURS_APART = 1;

/** What a responder brings along, and what it accepts. */
export interface ResponderOptions {
  /** Cryptography. */
  readonly provider: CryptoProvider;
  /** Randomness. */
  readonly random: Random;
  /** Where one-time key pairs come from, such as a reserve; made of `random` by default. */
  readonly keyPairs?: KeyPairSource | undefined;
  /** From `networkKeyPsk`, 32 bytes; borrowed until the end. */
  readonly psk: Uint8Array;
  /** Who we are: a responder always says it. */
  readonly identity: Identity;
  /** Hours since 1970 now. */
  readonly hour: number;
  /** The static key of our descriptor. Without it XX uses a one-time one, and NK is refused. Stays the caller's. */
  readonly staticKey?: DhKeyPair | undefined;
  /** Whether only those shall know the static key who do already: XX, which shows it, then uses a one-time one, too. */
  readonly secretStatic?: boolean | undefined;
  /** Suites that are accepted; all by default. */
  readonly allowedSuites?: readonly SuiteName[] | undefined;
}

/** What there is once the initiator has chosen. */
interface Chosen {
  readonly selector: Selector;
  readonly noise: HandshakeState;
  /** To be wiped in the end. */
  readonly oneTime: DhKeyPair | undefined;
}

/**
 * The side of a handshake that accepted the link (docs/protocol.md §3): `request`, `answer`, `opening`, then `keys`.
 * After an error there is nothing left to do with it.
 */
export class ResponderHandshake {
  readonly #options: ResponderOptions;
  readonly #progress: HandshakeProgress;
  #chosen: Chosen | undefined;

  /** @throws RangeError for an hour that no request could carry */
  constructor(options: ResponderOptions) {
    assertHour(options.hour);
    this.#options = options;
    this.#progress = new HandshakeProgress(
      () => deriveSessionKeys(this.#now.noise, 'responder', this.#now.selector.suite),
      () => {
        this.#chosen?.noise.wipe();
        this.#chosen?.oneTime?.wipe();
      },
    );
  }

  /** What the initiator chose; undefined before the request. */
  get selector(): Selector | undefined {
    return this.#chosen?.selector;
  }

  /**
   * Takes the first message, 1,280 bytes, which it borrows during the call. That it authenticates proves that its
   * sender knows the network key, and nothing else: it may be a replay.
   * @throws MatryoshkaError `session.incompatible` for a version, suite or pattern that is not ours;
   * `session.handshake-failed`; `session.clock-skew` for an hour more than 1 from ours
   */
  request(message: Uint8Array): void {
    this.#progress.take('request', () => {
      if (message.length < SELECTOR_LENGTH) throw new MatryoshkaError('session.handshake-failed');
      // Before the length: another version may have another one, and its sender should learn the reason.
      const selector = decodeSelector(new Reader(message.subarray(0, SELECTOR_LENGTH)));
      if (message.length !== HANDSHAKE_REQUEST_LENGTH) throw new MatryoshkaError('session.handshake-failed');
      this.#assertAllowed(selector);
      this.#chosen = this.#begin(selector);
      const { payload } = this.#chosen.noise.read(message.subarray(SELECTOR_LENGTH));
      const apart = Math.abs(new Reader(payload).u32() - this.#options.hour);
      if (apart > MAX_HOURS_APART) throw new MatryoshkaError('session.clock-skew', `the clocks are about ${apart} hours apart`);
    });
  }

  /** The second message, 1,344 bytes, newly allocated. @throws MatryoshkaError `session.handshake-failed` for an ML-KEM key that is none */
  answer(): Uint8Array {
    return this.#progress.take('answer', () => {
      const { noise } = this.#now;
      const message = new Uint8Array(HANDSHAKE_ANSWER_LENGTH);
      // Behind the proof zeros, as many as the pattern leaves room for.
      const payload = new Uint8Array(message.length - noise.overhead);
      noise.write((hash) => {
        encodeIdentityPayload(new Writer(payload), proveIdentity(this.#options.identity, this.#proofContext('responder', hash)));
        return payload;
      }, message);
      return message;
    });
  }

  /**
   * Takes the link message after the answer, which it borrows during the call: who the initiator is, and how many bytes
   * of the message that took (161 in XX, 0 in NK). What follows them is the first record.
   * @throws MatryoshkaError `session.handshake-failed`
   */
  opening(message: Uint8Array): { readonly identity: RemoteIdentity; readonly length: number } {
    return this.#progress.take('opening', () => {
      const { noise, selector } = this.#now;
      const length = THIRD_MESSAGE_LENGTHS[selector.pattern];
      if (length === 0) return { identity: ANONYMOUS_PEER, length };
      if (message.length < length) throw new MatryoshkaError('session.handshake-failed');
      const { payload, hash } = noise.read(message.subarray(0, length));
      const proof = decodeProof(payload);
      if (proof === undefined) return { identity: ANONYMOUS_PEER, length };
      return { identity: VerifiedPeer.verify(this.#options.provider, proof, this.#proofContext('initiator', hash)), length };
    });
  }

  /** @throws TypeError before the opening is read */
  get keys(): SessionKeys {
    return this.#progress.keys;
  }

  /** Gives up: overwrites its secrets. After the end it does nothing. */
  abandon(): void {
    this.#progress.fail();
  }

  get #now(): Chosen {
    if (this.#chosen === undefined) throw new MatryoshkaError('bug', 'no request was taken');
    return this.#chosen;
  }

  #assertAllowed({ suite, pattern }: Selector): void {
    if (this.#options.allowedSuites?.includes(suite) === false)
      throw new MatryoshkaError('session.incompatible', `suite ${suite} is not allowed here`);
    if (pattern === 'NK' && this.#options.staticKey === undefined)
      throw new MatryoshkaError('session.incompatible', 'pattern NK needs a static key, and this node has none');
  }

  #begin(selector: Selector): Chosen {
    const { provider, random, psk, secretStatic } = this.#options;
    const staticKey = secretStatic === true && selector.pattern === 'XX' ? undefined : this.#options.staticKey;
    const keyPairs = this.#options.keyPairs ?? freshKeyPairs(provider, random);
    const oneTime = staticKey === undefined ? new OneTimeStatic(keyPairs) : undefined;
    const noise = new HandshakeState({
      provider,
      random,
      keyPairs,
      protocol: selectedProtocol(selector),
      role: 'responder',
      prologue: prologueOf(selector),
      psks: [psk],
      staticKey: staticKey ?? oneTime,
    });
    return { selector, noise, oneTime };
  }

  #proofContext(role: ProofContext['role'], hash: Uint8Array): ProofContext {
    return { role, protocolName: selectedProtocol(this.#now.selector).name, hash };
  }
}
