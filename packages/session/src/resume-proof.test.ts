import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { portableProvider } from './portable/provider.ts';
import { type ResumeClaim, resumeProof, verifyResumeProof } from './resume-proof.ts';

const SECRET = new Uint8Array(32).fill(0x11);
const CLAIM: ResumeClaim = {
  role: 'initiator',
  handshakeHash: new Uint8Array(32).fill(0x22),
  sessionId: new Uint8Array(16).fill(0x33),
  delivered: 0x01_0203_0405_0607,
};
/** Made by another implementation of HMAC-SHA-256. */
const VECTOR = 'eeab58ffd62195da38776e7afd320c7f53f3b0b084da4a6bdded448c73d3f77f';
const FAILED = expect.objectContaining({ code: 'session.resume-failed' }) as Error;

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const claims: fc.Arbitrary<ResumeClaim> = fc.record({
  role: fc.constantFrom('initiator' as const, 'responder' as const),
  handshakeHash: bytes(32),
  sessionId: bytes(16),
  delivered: fc.maxSafeNat(),
});

/** The same by the platform's HMAC, byte by byte as docs/protocol.md §5.2 has it. */
function expected(secret: Uint8Array, { role, handshakeHash, sessionId, delivered }: ResumeClaim): Uint8Array {
  const count = new DataView(new ArrayBuffer(8));
  count.setBigUint64(0, BigInt(delivered));
  const hmac = createHmac('sha256', secret);
  for (const part of [Uint8Array.of(role === 'initiator' ? 1 : 2), handshakeHash, sessionId, new Uint8Array(count.buffer)])
    hmac.update(part);
  return new Uint8Array(hmac.digest());
}

describe('the proof of a resume (docs/protocol.md §5.2)', () => {
  test('is the HMAC of role, handshake hash, session id and count under the resume secret', () => {
    const proof = resumeProof(portableProvider, SECRET, CLAIM);
    expect(proof).toHaveLength(32);
    expect(proof).toEqual(expected(SECRET, CLAIM));
    // Written down, so that another implementation finds its mistakes.
    expect(Buffer.from(proof).toString('hex')).toBe(VECTOR);
  });

  test('whatever is proven, whoever has the secret verifies it', () => {
    fc.assert(
      fc.property(bytes(32), claims, (secret, claim) => {
        const proof = resumeProof(portableProvider, secret, claim);
        expect(proof).toEqual(expected(secret, claim));
        verifyResumeProof(portableProvider, secret, claim, proof);
      }),
      { numRuns: 50 },
    );
  });

  const OTHERS: readonly (readonly [string, Partial<ResumeClaim>])[] = [
    ['the other role', { role: 'responder' }],
    ['another handshake', { handshakeHash: new Uint8Array(32).fill(0x23) }],
    ['another session', { sessionId: new Uint8Array(16).fill(0x34) }],
    ['one record more', { delivered: CLAIM.delivered + 1 }],
    ['one record less', { delivered: CLAIM.delivered - 1 }],
  ];
  test.each(OTHERS)('proves nothing of %s', (_what, other) => {
    const proof = resumeProof(portableProvider, SECRET, CLAIM);
    expect(() => verifyResumeProof(portableProvider, SECRET, { ...CLAIM, ...other }, proof)).toThrow(FAILED);
  });

  test('needs the secret, and all of its own bytes', () => {
    const proof = resumeProof(portableProvider, SECRET, CLAIM);
    expect(() => verifyResumeProof(portableProvider, new Uint8Array(32), CLAIM, proof)).toThrow(FAILED);
    for (let i = 0; i < 32; i++) {
      const wrong = proof.slice();
      wrong[i] = (wrong[i] as number) ^ 0x80;
      expect(() => verifyResumeProof(portableProvider, SECRET, CLAIM, wrong)).toThrow(FAILED);
    }
    expect(() => verifyResumeProof(portableProvider, SECRET, CLAIM, proof.subarray(0, 31))).toThrow(FAILED);
    expect(() => verifyResumeProof(portableProvider, SECRET, CLAIM, new Uint8Array(0))).toThrow(FAILED);
  });
});
