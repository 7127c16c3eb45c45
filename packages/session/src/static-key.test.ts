import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityFromSeed } from './identity.ts';
import { peerIdFromHash } from './peer-id.ts';
import { portableProvider as provider } from './portable/provider.ts';
import { formatStaticKey, parseStaticKey, staticKeyOf } from './static-key.ts';

const identity = (byte: number) => identityFromSeed(provider, new Uint8Array(32).fill(byte));

describe('static keys', () => {
  test('of an identity are always the same, and others for other identities', () => {
    expect(staticKeyOf(provider, identity(1)).publicKey).toEqual(staticKeyOf(provider, identity(1)).publicKey);
    expect(staticKeyOf(provider, identity(2)).publicKey).not.toEqual(staticKeyOf(provider, identity(1)).publicKey);
    // By Python: X25519 of hmac.digest(b'\x01' * 32, b'matryoshka static key 1', 'sha256').
    expect(staticKeyOf(provider, identity(1)).publicKey.toHex()).toBe('5e3d5acdf8b98c82929c81040dd7b0656746c682defded3499830c31ba0ef271');
  });

  test('are text of 62 characters that leads back to them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const text = formatStaticKey(key);
        expect(text).toMatch(/^mts1[02-9ac-hj-np-z]{58}$/);
        expect(parseStaticKey(text)).toEqual(key);
      }),
    );
    expect(() => formatStaticKey(new Uint8Array(31))).toThrow(RangeError);
  });

  const text = formatStaticKey(new Uint8Array(32));
  test.each([
    [peerIdFromHash(new Uint8Array(32)), /is not a static key: it must begin with mts1/],
    [text.slice(1), /must begin with mts1/],
    [`${text}q`, /62 characters, not 63/],
    [text.replace('q', 'b'), /a character that no static key has/],
    [text.replace('q', 'p'), /checksum/],
  ])('%.20s… is refused: %s', (wrong, message) => {
    expect(() => parseStaticKey(wrong)).toThrow(
      expect.objectContaining({ code: 'session.identity-invalid', message: expect.stringMatching(message) as unknown }),
    );
  });
});
