import { equalBytes } from '@noble/curves/utils.js';
import { MatryoshkaError, Writer } from '@matryoshka/wire';
import type { CryptoProvider } from './crypto.ts';

import type { Role } from './noise/pattern.ts';

const COUNT_LENGTH = 8;
const ROLE_LENGTH = 1;
const ROLES: Readonly<Record<Role, number>> = { initiator: 0x01, responder: 0x02 };

/** What both sides of a resume prove to know (docs/protocol.md §5.2). */
export interface ResumeClaim {
  /** Who proves it. */
  readonly role: Role;
  /** Of the handshake on the new link, 32 bytes: a proof is good for this handshake only. */
  readonly handshakeHash: Uint8Array;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** Numbered records that the one who proves has received in all. */
  readonly delivered: number;
}

/**
 * HMAC-SHA-256(resume secret, role ‖ handshake hash ‖ session id ‖ delivered), 32 bytes (docs/protocol.md §5.2).
 * @param secret - resume secret of the session's first handshake, 32 bytes
 */
export function resumeProof(provider: CryptoProvider, secret: Uint8Array, claim: ResumeClaim): Uint8Array {
  const head = new Uint8Array(ROLE_LENGTH).fill(ROLES[claim.role]);
  const count = new Uint8Array(COUNT_LENGTH);
  new Writer(count).count(claim.delivered);
  return provider.hash('SHA256').hmac(secret, head, claim.handshakeHash, claim.sessionId, count);
}

/** @throws MatryoshkaError `session.resume-failed` unless `proof` proves `claim` */
export function verifyResumeProof(provider: CryptoProvider, secret: Uint8Array, claim: ResumeClaim, proof: Uint8Array): void {
  if (!equalBytes(resumeProof(provider, secret, claim), proof)) throw new MatryoshkaError('session.resume-failed');
}
