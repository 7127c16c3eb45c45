import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Hash, HashName } from '../crypto.ts';
import { randomBelow, randomBytes } from '../random.ts';
import { isBytes, isSame, isTrue } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';

interface HashVectors {
  readonly length: number;
  readonly blockLength: number;
  readonly source: string;
  /** Digest of `abc`. */
  readonly abc: string;
}

const hashes: Readonly<Record<HashName, HashVectors>> = {
  SHA256: {
    length: 32,
    blockLength: 64,
    source: 'FIPS 180-2 B.1',
    abc: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  SHA512: {
    length: 64,
    blockLength: 128,
    source: 'FIPS 180-2 C.1',
    abc:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  },
  BLAKE2s: {
    length: 32,
    blockLength: 64,
    source: 'RFC 7693 appendix B',
    abc: '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
  },
  BLAKE2b: {
    length: 64,
    blockLength: 128,
    source: 'RFC 7693 appendix A',
    abc:
      'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
      '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  },
};

interface HmacVector {
  readonly section: string;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly sha256: string;
  readonly sha512: string;
}

// RFC 4231: keys shorter than, as long as and longer than a block.
const hmacVectors: readonly HmacVector[] = [
  {
    section: '§4.2',
    key: new Uint8Array(20).fill(0x0b),
    data: utf8ToBytes('Hi There'),
    sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    sha512:
      '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde' +
      'daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
  },
  {
    section: '§4.3',
    key: utf8ToBytes('Jefe'),
    data: utf8ToBytes('what do ya want for nothing?'),
    sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    sha512:
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  },
  {
    section: '§4.7',
    key: new Uint8Array(131).fill(0xaa),
    data: utf8ToBytes('Test Using Larger Than Block-Size Key - Hash Key First'),
    sha256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    sha512:
      '80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352' +
      '6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598',
  },
];

/** What a provider's hash functions have to do. */
export function hashCases({ provider, reference, random }: ContractSetup): readonly ContractCase[] {
  const names = Object.keys(hashes) as HashName[];
  return [
    ...names.map((name) => ({
      name: `${name}: digest of abc (${hashes[name].source})`,
      published: true as const,
      run: () => isBytes(provider.hash(name).digest(utf8ToBytes('abc')), hexToBytes(hashes[name].abc), 'digest'),
    })),
    ...names.map((name) => ({ name: `${name}: lengths, and digests with bytes of their own`, run: () => hasLengths(provider.hash(name)) })),
    ...names.map((name) => ({
      name: `${name}: HMAC is the one of RFC 2104 over this hash`,
      run: () => {
        const hash = provider.hash(name);
        for (const keyLength of [0, 1, hash.length, hash.blockLength - 1, hash.blockLength, hash.blockLength + 1, 300]) {
          const key = randomBytes(random, keyLength);
          const data = randomBytes(random, randomBelow(random, 300));
          isBytes(hash.hmac(key, data), hmacByDefinition(hash, key, data), `HMAC under a key of ${keyLength}`);
        }
      },
    })),
    ...names.map((name) => ({
      name: `${name}: parts are hashed one after the other, and agree with the reference`,
      run: () => {
        const [hash, other] = [provider.hash(name), reference.hash(name)];
        for (let round = 0; round < 20; round += 1) {
          const [key, data] = [randomBytes(random, 32), randomBytes(random, randomBelow(random, 1000))];
          const [from, to] = [Math.floor(data.length / 3), Math.floor(data.length / 2)];
          const parts = [data.subarray(0, from), data.subarray(from, to), new Uint8Array(0), data.subarray(to)];
          isBytes(hash.digest(...parts), other.digest(data), 'digest');
          isBytes(hash.hmac(key, ...parts), other.hmac(key, data), 'HMAC');
        }
        isBytes(hash.digest(), other.digest(new Uint8Array(0)), 'digest of nothing');
        isBytes(hash.hmac(new Uint8Array(0)), other.hmac(new Uint8Array(0), new Uint8Array(0)), 'HMAC of nothing');
      },
    })),
    ...hmacVectors.map(({ section, key, data, sha256, sha512 }) => ({
      name: `HMAC: the vectors of RFC 4231 ${section}`,
      published: true as const,
      run: () => {
        isBytes(provider.hash('SHA256').hmac(key, data), hexToBytes(sha256), 'HMAC-SHA-256');
        isBytes(provider.hash('SHA512').hmac(key, data), hexToBytes(sha512), 'HMAC-SHA-512');
      },
    })),
    {
      name: 'HMAC: carries HKDF as in RFC 5869 §A.1',
      published: true,
      run: () => {
        const hash = provider.hash('SHA256');
        const pseudorandomKey = hash.hmac(hexToBytes('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b));
        isBytes(pseudorandomKey, hexToBytes('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5'), 'extracted key');
        const info = hexToBytes('f0f1f2f3f4f5f6f7f8f9');
        const first = hash.hmac(pseudorandomKey, info, Uint8Array.of(1));
        isBytes(first, hexToBytes('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf'), 'first block');
        const second = hash.hmac(pseudorandomKey, first, info, Uint8Array.of(2)).slice(0, 10);
        isBytes(second, hexToBytes('34007208d5b887185865'), 'beginning of the second block');
      },
    },
  ];
}

function hasLengths(hash: Hash): void {
  const { length, blockLength } = hashes[hash.name];
  isSame(hash.length, length, 'length');
  isSame(hash.blockLength, blockLength, 'block length');
  isSame(hash.digest().length, length, 'length of a digest');
  const [one, two] = [hash.digest(), hash.digest()];
  one.fill(0);
  isTrue(
    two.some((byte) => byte !== 0),
    'every digest has its own bytes',
  );
}

function hmacByDefinition(hash: Hash, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = new Uint8Array(hash.blockLength);
  block.set(key.length > hash.blockLength ? hash.digest(key) : key);
  const inner = block.map((byte) => byte ^ 0x36);
  const outer = block.map((byte) => byte ^ 0x5c);
  return hash.digest(outer, hash.digest(inner, data));
}
