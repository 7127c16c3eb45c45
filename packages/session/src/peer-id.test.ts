import { bech32, bech32m } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDestination } from '@matryoshka/wire';
import { createIdentity, identityFromSeed } from './identity.ts';
import { parsePeerId, peerHash, peerIdFromHash, peerIdFromKey } from './peer-id.ts';
import { portableProvider } from './portable/provider.ts';

const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const invalid = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'session.identity-invalid', message: expect.stringMatching(message) as unknown });

describe('peer ids', () => {
  test('are text of 62 characters that leads back to the hash, and that endpoints know as a peer id', () => {
    fc.assert(
      fc.property(hash32, (hash) => {
        const id = peerIdFromHash(hash);
        expect(id).toMatch(/^mtk1[02-9ac-hj-np-z]{58}$/);
        expect(parsePeerId(id)).toBe(id);
        expect(peerHash(id)).toEqual(hash);
        expect(parseDestination(id)).toEqual({ type: 'peer', peerId: id });
      }),
    );
  });

  test('are of the SHA-256 hash of the key', () => {
    const key = new Uint8Array(32).fill(5);
    expect(peerHash(peerIdFromKey(portableProvider, key))).toEqual(portableProvider.hash('SHA256').digest(key));
    expect(() => peerIdFromKey(portableProvider, new Uint8Array(31))).toThrow(RangeError);
    expect(() => peerIdFromHash(new Uint8Array(33))).toThrow(RangeError);
  });

  test('one mistyped character is always noticed', () => {
    fc.assert(
      fc.property(
        hash32,
        fc.integer({ min: 4, max: 61 }),
        fc.constantFrom(...Array.from('qpzry9x8gf2tvdw0s3jn54khce6mua7l')),
        (hash, at, character) => {
          const id = peerIdFromHash(hash);
          fc.pre(id[at] !== character);
          expect(() => parsePeerId(id.slice(0, at) + character + id.slice(at + 1))).toThrow(invalid(/checksum/));
        },
      ),
    );
  });

  const id = peerIdFromHash(new Uint8Array(32));
  test.each([
    ['', /must begin with mtk1/],
    ['mtk', /must begin with mtk1/],
    [id.toUpperCase(), /must begin with mtk1/],
    [` ${id}`, /must begin with mtk1/],
    [`${id}q`, /62 characters, not 63/],
    [id.slice(0, -1), /62 characters, not 61/],
    ['mtk1'.padEnd(100_000, 'q'), /62 characters, not 100000/],
    [id.replace('q', 'b'), /a character that no peer id has/],
    [id.replace('q', 'Q'), /a character that no peer id has/],
    [bech32.encode('mtk', bech32.toWords(new Uint8Array(32))), /checksum/],
    [
      bech32m.encode(
        'mtk',
        Array.from({ length: 52 }, () => 31),
      ),
      /does not hold 32 bytes/,
    ],
  ])('%.20s… is refused: %s', (text, message) => {
    expect(() => parsePeerId(text)).toThrow(invalid(message));
  });

  test('an error about a long text stays short', () => {
    expect(() => parsePeerId('x'.repeat(100_000))).toThrow(/^.{1,200}$/);
  });
});

describe('identities', () => {
  // RFC 8032 §7.1, TEST 1
  const seed = Uint8Array.fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');

  test('come from a seed and give it back', () => {
    const identity = identityFromSeed(portableProvider, seed);
    expect(identity.publicKey.toHex()).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(identity.sign(new Uint8Array(0)).toHex()).toMatch(/^e5564300c360ac729086e2cc806e828a.*0b$/);
    expect(identity.peerId).toBe(peerIdFromKey(portableProvider, identity.publicKey));
    expect(identity.seed).toEqual(seed);
    identity.seed.fill(0);
    expect(identity.seed).toEqual(seed);
    expect(() => identityFromSeed(portableProvider, new Uint8Array(31))).toThrow(RangeError);
  });

  test('new ones are of random seeds', () => {
    let byte = 0;
    const random = { fill: (bytes: Uint8Array) => void bytes.fill((byte += 1)) };
    const [first, second] = [createIdentity(portableProvider, random), createIdentity(portableProvider, random)];
    expect(first.seed).toEqual(new Uint8Array(32).fill(1));
    expect(second.peerId).not.toBe(first.peerId);
  });

  test('do not show their seed to who prints them', () => {
    expect(JSON.stringify(identityFromSeed(portableProvider, seed))).not.toContain('157');
    expect(Object.keys(identityFromSeed(portableProvider, seed))).toEqual(['peerId', 'publicKey']);
  });
});
