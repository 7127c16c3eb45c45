import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CryptoProvider, type Hash, portableProvider } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { loadNativeProvider } from './provider.ts';

const directory = process.env['MATRYOSHKA_VECTORS'];
if (directory === undefined) {
  console.info('Wycheproof vectors are not run: MATRYOSHKA_VECTORS does not name the directory with wycheproof_*_test.json');
}

type Result = 'valid' | 'invalid' | 'acceptable';
type Hex = string;
interface Vector {
  readonly tcId: number;
  readonly comment?: string;
  readonly flags: readonly string[];
  readonly result: Result;
}
interface VectorFile<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}
interface GroupOf<V> {
  readonly tests: readonly V[];
}

function read<Group extends GroupOf<Vector>>(name: string): VectorFile<Group> {
  return JSON.parse(readFileSync(join(directory ?? '', `wycheproof_${name}_test.json`), 'utf8')) as VectorFile<Group>;
}

function hex(text: Hex): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** How many vectors were run, by what they demand; `inexpressible` are those our interface has no words for. */
class Tally {
  valid = 0;
  invalid = 0;
  acceptable = 0;
  inexpressible = 0;

  get total(): number {
    return this.valid + this.invalid + this.acceptable + this.inexpressible;
  }
}

function each<V extends Vector, G extends GroupOf<V>>(file: VectorFile<G>, run: (vector: V, group: G) => boolean): Tally {
  const tally = new Tally();
  for (const group of file.testGroups) {
    for (const vector of group.tests) tally[run(vector, group) ? vector.result : 'inexpressible'] += 1;
  }
  expect(tally.total).toBe(file.numberOfTests);
  return tally;
}

function label(vector: Vector): string {
  return `tcId ${vector.tcId}: ${vector.comment ?? ''}`;
}

const native = loadNativeProvider();
if (native === undefined) throw new Error('sodium-native could not be loaded here');

describe.runIf(directory !== undefined).each([portableProvider, native])('Wycheproof vectors, provider $name', (provider) => {
  test('ChaCha20-Poly1305', () => {
    type Aead = Vector & Readonly<Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', Hex>>;
    const tally = each<Aead, GroupOf<Aead> & { readonly ivSize: number }>(read('chacha20_poly1305'), (vector, { ivSize }) => {
      const aead = provider.aead('chacha20poly1305', hex(vector.key));
      const [nonce, associated, plaintext] = [hex(vector.iv), hex(vector.aad), hex(vector.msg)];
      const ciphertext = hex(vector.ct + vector.tag);
      const out = new Uint8Array(plaintext.length + 16);
      if (ivSize !== 96) {
        expect(() => aead.seal(nonce, associated, plaintext, out), label(vector)).toThrow(RangeError);
        expect(() => aead.open(nonce, associated, ciphertext, out), label(vector)).toThrow(RangeError);
        return true;
      }
      const opened = aead.open(nonce, associated, ciphertext, out);
      expect(opened, label(vector)).toBe(vector.result === 'valid');
      if (opened) expect(out.subarray(0, plaintext.length), label(vector)).toEqual(plaintext);
      aead.seal(nonce, associated, plaintext, out);
      if (vector.result === 'valid') expect(out, label(vector)).toEqual(ciphertext);
      return true;
    });
    expect(tally).toMatchObject({ valid: 256, invalid: 69, inexpressible: 0 });
  });

  test('Ed25519', () => {
    type Signature = Vector & Readonly<Record<'msg' | 'sig', Hex>>;
    const tally = each<Signature, GroupOf<Signature> & { readonly publicKey: { readonly pk: Hex } }>(
      read('ed25519'),
      (vector, { publicKey }) => {
        const valid = provider.verify(hex(publicKey.pk), hex(vector.msg), hex(vector.sig));
        expect(valid, label(vector)).toBe(vector.result === 'valid');
        return true;
      },
    );
    expect(tally).toMatchObject({ valid: 88, invalid: 63, inexpressible: 0 });
  });

  test('X25519', () => {
    type Agreement = Vector & Readonly<Record<'public' | 'private' | 'shared', Hex>>;
    const tally = each<Agreement, GroupOf<Agreement>>(read('x25519'), (vector) => {
      // Acceptable are non-canonical and low-order keys: RFC 7748 computes with all of them, and so do we.
      expect(provider.dhKeyPair(hex(vector.private)).shared(hex(vector.public)), label(vector)).toEqual(hex(vector.shared));
      return true;
    });
    expect(tally).toMatchObject({ valid: 264, invalid: 0, acceptable: 254, inexpressible: 0 });
  });

  test('HKDF-SHA-256 from HMAC', () => {
    type Derivation = Vector & Readonly<Record<'ikm' | 'salt' | 'info' | 'okm', Hex>> & { readonly size: number };
    const hash = provider.hash('SHA256');
    const tally = each<Derivation, GroupOf<Derivation>>(read('hkdf_sha256'), (vector) => {
      // RFC 5869 §2.3 allows 255 blocks. The limit is HKDF's, not HMAC's, which is all the interface has.
      if (vector.result === 'invalid') {
        expect(vector.size, label(vector)).toBeGreaterThan(255 * hash.length);
        return false;
      }
      expect(hkdf(hash, hex(vector.salt), hex(vector.ikm), hex(vector.info), vector.size), label(vector)).toEqual(hex(vector.okm));
      return true;
    });
    expect(tally).toMatchObject({ valid: 83, invalid: 0, inexpressible: 3 });
  });

  test('ML-KEM-768 from a seed: keys and decapsulation', () => {
    type Decapsulation = Vector & Readonly<Record<'seed' | 'c' | 'K', Hex>> & { readonly ek?: Hex };
    const tally = each<Decapsulation, GroupOf<Decapsulation>>(read('mlkem_768'), (vector) => {
      const run = (): void => {
        const pair = provider.kemKeyPair(hex(vector.seed));
        if (vector.ek !== undefined) expect(pair.publicKey, label(vector)).toEqual(hex(vector.ek));
        expect(pair.decapsulate(hex(vector.c)), label(vector)).toEqual(hex(vector.K));
      };
      if (vector.result === 'invalid') expect(run, label(vector)).toThrow(RangeError);
      else run();
      return true;
    });
    expect(tally).toMatchObject({ valid: 153, invalid: 40, inexpressible: 0 });
  });

  test('ML-KEM-768 encapsulation', () => {
    type Encapsulation = Vector & Readonly<Record<'ek' | 'm' | 'c' | 'K', Hex>>;
    const tally = each<Encapsulation, GroupOf<Encapsulation>>(read('mlkem_768_encaps'), (vector) => {
      const encapsulate = (): ReturnType<CryptoProvider['kemEncapsulate']> =>
        provider.kemEncapsulate(hex(vector.ek), { fill: (bytes) => bytes.set(hex(vector.m)) });
      if (vector.result === 'invalid') {
        const wrongLength = vector.ek.length !== 2 * 1184;
        expect(encapsulate, label(vector)).toThrow(
          wrongLength ? RangeError : expect.objectContaining({ code: 'session.handshake-failed' }),
        );
        return true;
      }
      const { ciphertext, shared } = encapsulate();
      // OpenSSL draws its own randomness, so what it makes of this key cannot be compared with the vector.
      if (provider.name === 'native') return false;
      expect(ciphertext, label(vector)).toEqual(hex(vector.c));
      expect(shared, label(vector)).toEqual(hex(vector.K));
      return true;
    });
    expect(tally.invalid).toBe(132);
    expect([tally.valid, tally.inexpressible]).toEqual(provider.name === 'native' ? [0, 133] : [133, 0]);
  });
});

/** RFC 5869. */
function hkdf(hash: Hash, salt: Uint8Array, inputKey: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const pseudorandomKey = hash.hmac(salt.length === 0 ? new Uint8Array(hash.length) : salt, inputKey);
  const output = new Uint8Array(Math.ceil(length / hash.length) * hash.length);
  let block: Uint8Array = new Uint8Array(0);
  for (let index = 0; index * hash.length < length; index += 1) {
    block = hash.hmac(pseudorandomKey, block, info, Uint8Array.of(index + 1));
    output.set(block, index * hash.length);
  }
  return output.subarray(0, length);
}
