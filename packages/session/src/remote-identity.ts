import { DecodeError, type IdentityProof, MatryoshkaError, Reader, decodeIdentityPayload } from '@matryoshka/wire';
import type { CryptoProvider } from './crypto.ts';
import type { Identity } from './identity.ts';
import type { Role } from './noise/pattern.ts';
import { type PeerId, peerIdFromKey } from './peer-id.ts';

const utf8 = new TextEncoder();
const LABEL = 'matryoshka identity 1';
// docs/protocol.md §3.3: whose proof it is, so that none can be sent back to where it came from.
const ROLES: Readonly<Record<Role, number>> = { initiator: 0x01, responder: 0x02 };

/** Who is at the other end of a session. */
export type RemoteIdentity = VerifiedPeer | AnonymousPeer;

/** Someone who proved nothing but knowledge of the network key. */
export interface AnonymousPeer {
  readonly authenticated: false;
}

/** The one value of its kind. */
export const ANONYMOUS_PEER: AnonymousPeer = { authenticated: false };

/** What an identity signs, and what makes its proof good for one side of one handshake only. */
export interface ProofContext {
  /** Whose proof it is. */
  readonly role: Role;
  /** Noise §8. */
  readonly protocolName: string;
  /** Handshake hash after the tokens of the message that carries the proof, before its payload. */
  readonly hash: Uint8Array;
}

/**
 * A peer whose identity is proven: only `VerifiedPeer.verify` makes one, so what asks for it cannot be given a claim.
 */
export class VerifiedPeer {
  readonly authenticated = true;
  /** Who it is. */
  readonly peerId: PeerId;
  readonly #key: Uint8Array;

  private constructor(peerId: PeerId, key: Uint8Array) {
    this.peerId = peerId;
    this.#key = key;
  }

  /** Ed25519 public key, 32 bytes: a view. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** Copies what it keeps of `proof`. @throws MatryoshkaError `session.handshake-failed` for a wrong signature */
  static verify(provider: CryptoProvider, proof: IdentityProof, context: ProofContext): VerifiedPeer {
    if (!provider.verify(proof.key, signedBytes(context), proof.signature)) throw new MatryoshkaError('session.handshake-failed');
    const key = proof.key.slice();
    return new VerifiedPeer(peerIdFromKey(provider, key), key);
  }
}

/** Our own proof for the payload of a handshake message. */
export function proveIdentity(identity: Identity, context: ProofContext): IdentityProof {
  return { key: identity.publicKey, signature: identity.sign(signedBytes(context)) };
}

/**
 * The proof at the beginning of a payload, which it borrows, or undefined of an anonymous peer. What follows it is
 * padding, which is authenticated and means nothing.
 * @throws MatryoshkaError `session.handshake-failed`
 */
export function decodeProof(payload: Uint8Array): IdentityProof | undefined {
  try {
    return decodeIdentityPayload(new Reader(payload));
  } catch (error) {
    // Before an identity is proven, nobody is told what was wrong.
    if (error instanceof DecodeError) throw new MatryoshkaError('session.handshake-failed');
    throw error;
  }
}

// docs/protocol.md §3.3: label ‖ role ‖ protocol name ‖ hash. The hash has a fixed length and is last, the label a fixed
// text and first: no two contexts give the same bytes.
function signedBytes({ role, protocolName, hash }: ProofContext): Uint8Array {
  const label = utf8.encode(LABEL);
  const name = utf8.encode(protocolName);
  const bytes = new Uint8Array(label.length + 1 + name.length + hash.length);
  bytes.set(label);
  bytes[label.length] = ROLES[role];
  bytes.set(name, label.length + 1);
  bytes.set(hash, label.length + 1 + name.length);
  return bytes;
}
