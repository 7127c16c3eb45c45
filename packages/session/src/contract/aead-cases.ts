import type { SuiteName } from '@matryoshka/wire';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Aead, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '../crypto.ts';
import { randomBelow, randomBytes } from '../random.ts';
import { isBytes, isSame, isTrue, throwsRangeError, throwsWhere } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';

interface AeadVector {
  readonly source: string;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly associated: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const vectors: Readonly<Record<SuiteName, AeadVector>> = {
  chacha20poly1305: {
    source: 'RFC 8439 §2.8.2',
    key: hexToBytes('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    nonce: hexToBytes('070000004041424344454647'),
    associated: hexToBytes('50515253c0c1c2c3c4c5c6c7'),
    plaintext: utf8ToBytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    ciphertext: hexToBytes(
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
        '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116' +
        '1ae10b594f09e26a7e902ecbd0600691',
    ),
  },
  aes256gcm: {
    source: 'the GCM specification, test case 16',
    key: hexToBytes('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
    nonce: hexToBytes('cafebabefacedbaddecaf888'),
    associated: hexToBytes('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    plaintext: hexToBytes(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    ),
    ciphertext: hexToBytes(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
        '76fc6ece0f4e1768cddf8853bb2d551b',
    ),
  },
};

// Around the block lengths of both ciphers, small records, and where a provider may change its way of working.
const lengths = [0, 1, 15, 16, 17, 63, 64, 65, 1000, 16_367, 16_368, 16_383, 16_384, 16_385, 64_512];

/** What a provider's AEAD has to do. */
export function aeadCases(suite: SuiteName, { provider, reference, random }: ContractSetup): readonly ContractCase[] {
  const vector = vectors[suite];
  const sealed = (aead: Aead, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array => {
    const out = new Uint8Array(plaintext.length + TAG_LENGTH);
    isSame(aead.seal(nonce, associated, plaintext, out), out.length, 'length that was sealed');
    return out;
  };
  const vectorAead = (): Aead => provider.aead(suite, vector.key);
  const vectorSealed = (): Uint8Array => sealed(vectorAead(), vector.nonce, vector.associated, vector.plaintext);
  const vectorOpens = (nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array): boolean =>
    vectorAead().open(nonce, associated, ciphertext, new Uint8Array(vector.plaintext.length));
  return [
    {
      name: `${suite}: seals and opens the vector of ${vector.source}`,
      published: true,
      run: () => {
        isBytes(sealed(vectorAead(), vector.nonce, vector.associated, vector.plaintext), vector.ciphertext, 'ciphertext');
        const out = new Uint8Array(vector.plaintext.length);
        isTrue(vectorAead().open(vector.nonce, vector.associated, vector.ciphertext, out), 'it authenticates');
        isBytes(out, vector.plaintext, 'plaintext');
      },
    },
    {
      name: `${suite}: agrees with the reference, in place and beside it, at every alignment`,
      run: () => {
        for (const [index, length] of lengths.entries()) {
          const [key, nonce] = [randomBytes(random, KEY_LENGTH), randomBytes(random, NONCE_LENGTH)];
          const associated = randomBytes(random, randomBelow(random, 40));
          const plaintext = randomBytes(random, length);
          const aead = provider.aead(suite, key);
          const expected = sealed(reference.aead(suite, key), nonce, associated, plaintext);
          isBytes(sealed(aead, nonce, associated, plaintext), expected, `${length} bytes sealed`);
          const opened = new Uint8Array(length);
          isTrue(aead.open(nonce, associated, expected, opened), `${length} bytes authenticate`);
          isBytes(opened, plaintext, `${length} bytes opened`);

          const room = new Uint8Array(length + 64).subarray(index % 8);
          room.set(plaintext);
          aead.seal(nonce, associated, room.subarray(0, length), room);
          isBytes(room.subarray(0, expected.length), expected, `${length} bytes sealed in place`);
          isTrue(aead.open(nonce, associated, room.subarray(0, expected.length), room), `${length} bytes authenticate in place`);
          isBytes(room.subarray(0, length), plaintext, `${length} bytes opened in place`);
        }
      },
    },
    {
      name: `${suite}: writes what belongs to the record and nothing else`,
      run: () => {
        for (const length of lengths) {
          const [nonce, plaintext] = [randomBytes(random, NONCE_LENGTH), randomBytes(random, length)];
          const [nonceBefore, plaintextBefore] = [nonce.slice(), plaintext.slice()];
          const out = new Uint8Array(length + TAG_LENGTH + 9).fill(0xee);
          isSame(vectorAead().seal(nonce, vector.associated, plaintext, out), length + TAG_LENGTH, 'length');
          isBytes(out.subarray(length + TAG_LENGTH), new Uint8Array(9).fill(0xee), 'bytes behind the record');
          const ciphertext = out.slice(0, length + TAG_LENGTH);
          const ciphertextBefore = ciphertext.slice();
          const back = new Uint8Array(length + 9).fill(0xee);
          isTrue(vectorAead().open(nonce, vector.associated, ciphertext, back), 'it authenticates');
          isBytes(back.subarray(length), new Uint8Array(9).fill(0xee), 'bytes behind the plaintext');
          isBytes(ciphertext, ciphertextBefore, 'ciphertext');
          isBytes(plaintext, plaintextBefore, 'plaintext');
          isBytes(nonce, nonceBefore, 'nonce');
        }
      },
    },
    {
      name: `${suite}: does not open what was changed in any byte`,
      run: () => {
        const ciphertext = vectorSealed();
        isTrue(vectorOpens(vector.nonce, vector.associated, ciphertext), 'unchanged: opened');
        for (let index = 0; index < ciphertext.length; index += 1) {
          isTrue(!vectorOpens(vector.nonce, vector.associated, flipped(ciphertext, index)), `byte ${index} changed: refused`);
        }
        isTrue(!vectorOpens(vector.nonce, flipped(vector.associated, 3), ciphertext), 'other associated data: refused');
        isTrue(!vectorOpens(vector.nonce, vector.associated.subarray(1), ciphertext), 'shorter associated data: refused');
        isTrue(!vectorOpens(vector.nonce, new Uint8Array(0), ciphertext), 'no associated data: refused');
        isTrue(!vectorOpens(flipped(vector.nonce, 11), vector.associated, ciphertext), 'other nonce: refused');
        const other = provider.aead(suite, flipped(vector.key, 31));
        const out = new Uint8Array(vector.plaintext.length);
        isTrue(!other.open(vector.nonce, vector.associated, ciphertext, out), 'other key: refused');
      },
    },
    {
      name: `${suite}: does not open large records that were changed`,
      run: () => {
        const plaintext = randomBytes(random, 40_000);
        const ciphertext = sealed(vectorAead(), vector.nonce, vector.associated, plaintext);
        const out = new Uint8Array(plaintext.length);
        for (const index of [0, 20_000, 39_999, 40_000, 40_015]) {
          const opens = vectorAead().open(vector.nonce, vector.associated, flipped(ciphertext, index), out);
          isTrue(!opens, `byte ${index} changed: refused`);
        }
        isTrue(vectorAead().open(vector.nonce, vector.associated, ciphertext, out), 'unchanged: opened');
      },
    },
    {
      name: `${suite}: does not open what is truncated to any length`,
      run: () => {
        const ciphertext = vectorSealed();
        for (let length = 0; length < ciphertext.length; length += 1) {
          isTrue(!vectorOpens(vector.nonce, vector.associated, ciphertext.subarray(0, length)), `${length} bytes: refused`);
        }
      },
    },
    {
      name: `${suite}: refuses wrong lengths of key, nonce and output`,
      run: () => {
        for (const length of [0, 16, 31, 33]) throwsRangeError(() => provider.aead(suite, new Uint8Array(length)), `key of ${length}`);
        const { associated, plaintext, ciphertext } = vector;
        for (const length of [0, 11, 13]) {
          const nonce = new Uint8Array(length);
          throwsRangeError(() => sealed(vectorAead(), nonce, associated, plaintext), `sealing with a nonce of ${length}`);
          throwsRangeError(() => vectorOpens(nonce, associated, ciphertext), `opening with a nonce of ${length}`);
        }
        const short = (missing: number): Uint8Array => new Uint8Array(plaintext.length - missing);
        throwsRangeError(() => vectorAead().seal(vector.nonce, associated, plaintext, short(0)), 'no room for the tag');
        throwsRangeError(() => vectorAead().open(vector.nonce, associated, ciphertext, short(1)), 'no room for the plaintext');
      },
    },
    {
      name: `${suite}: keeps its own copy of the key, until it is wiped`,
      run: () => {
        const key = vector.key.slice();
        const aead = provider.aead(suite, key);
        key.fill(0);
        const ciphertext = sealed(aead, vector.nonce, vector.associated, vector.plaintext);
        isBytes(ciphertext, vectorSealed(), 'ciphertext');
        aead.wipe();
        aead.wipe();
        const any = (): boolean => true;
        throwsWhere(() => sealed(aead, vector.nonce, vector.associated, vector.plaintext), any, 'sealing with a wiped key');
        const out = new Uint8Array(vector.plaintext.length);
        throwsWhere(() => aead.open(vector.nonce, vector.associated, ciphertext, out), any, 'opening with a wiped key');
      },
    },
  ];
}

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const changed = bytes.slice();
  changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
  return changed;
}
