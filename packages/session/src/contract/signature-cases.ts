import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { randomBelow, randomBytes } from '../random.ts';
import { isBytes, isTrue, throwsRangeError } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';

// RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature.
const vectors = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

// Made with a = SHA-512("matryoshka ed25519 a") and r = SHA-512("matryoshka ed25519 r") as scalars: A = [a]B, R = [r]B,
// and T a point of order 8. All satisfy the equation with the cofactor, which is why implementations differ on them.
const A = 'f98060170252bb727d6a911ab7b2b325359ef13ef25297178d2557bc26bb8cc2';
const A_PLUS_T = '422c28b4099f93e764ab6231df0a340cea583de6471c717e80031c695a20778e';
const T = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';
const IDENTITY = '0100000000000000000000000000000000000000000000000000000000000000';
const R = 'ca7d380fb2ff8f9a4e46da225eb2afa309fc2ad23e41502dc5ec74d53f87c8d1';
const edges: readonly (readonly [what: string, valid: boolean, message: string, key: string, r: string, s: string])[] = [
  ['nothing special', true, 'message 0', A, R, '39041dc22c33cd1356df84066426d420f6307430a5090b201ceb56710c517b07'],
  ['R of order 8', false, 'message 1', A, T, '38c53c55c088ab55b14f8298c29d242fadcf797654d2524cc9df90eb5a931105'],
  ['R the identity', false, 'message 2', A, IDENTITY, '51732d26e6f50526bfec8f2de709637ec6b75ab62300f74e848ceb6f0858600e'],
  [
    'R + T',
    false,
    'message 3',
    A,
    '7734d4526166fe256bd376c2d09ed3c23a9a5020f98f68493e911ca5d78b4b1b',
    'f1746030dd9bb5e0fd00149ab2b08db18f3fcb7b02f1330f4bdbb20ac2df4500',
  ],
  ['A + T', false, 'message 4', A_PLUS_T, R, '58db539caf27573ede421480203077ed601bd52b829551f3703558f00360e807'],
  ['A + T where 8 divides k', true, 'message 13', A_PLUS_T, R, 'fa0ec6339ce97c9a6645ebb76182682ab4026eb0a96f8375ff495f78fbcf6f00'],
  ['A the identity', false, 'message 14', IDENTITY, R, '7e9d8848fe7d285f7871e2da7de4a767f0d17b0db8515c4879f994573917ea08'],
  ['A of order 8', false, 'message 15', T, R, '7e9d8848fe7d285f7871e2da7de4a767f0d17b0db8515c4879f994573917ea08'],
];

/** y = p + 1: a second encoding of the identity. */
const NOT_CANONICAL = 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f';
/** The order of the base point, little-endian. */
const ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

interface Signed {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a provider's Ed25519 has to do. Verification has one answer for every input, the same in each provider. */
export function signatureCases({ provider, reference, random }: ContractSetup): readonly ContractCase[] {
  /** The key and message of a vector, and the signature of this provider. */
  const signed = (vector: (typeof vectors)[number]): Signed => {
    const [seed, , message] = vector.map(hexToBytes) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const key = provider.signingKey(seed);
    return { seed, publicKey: key.publicKey, message, signature: key.sign(message) };
  };
  return [
    {
      name: 'Ed25519: signs and verifies the vectors of RFC 8032 §7.1',
      published: true,
      run: () => {
        for (const [seed, publicKey, message, signature] of vectors) {
          const key = provider.signingKey(hexToBytes(seed));
          isBytes(key.publicKey, hexToBytes(publicKey), 'public key');
          isBytes(key.sign(hexToBytes(message)), hexToBytes(signature), 'signature');
          isTrue(provider.verify(hexToBytes(publicKey), hexToBytes(message), hexToBytes(signature)), 'it verifies');
        }
      },
    },
    {
      name: 'Ed25519: agrees with the reference',
      run: () => {
        for (let round = 0; round < 6; round += 1) {
          const seed = randomBytes(random, 32);
          const message = randomBytes(random, randomBelow(random, 2000));
          const [here, there] = [provider.signingKey(seed), reference.signingKey(seed)];
          isBytes(here.publicKey, there.publicKey, 'public key');
          const signature = here.sign(message);
          isBytes(signature, there.sign(message), 'signature');
          isTrue(provider.verify(there.publicKey, message, signature), 'verified here');
          isTrue(reference.verify(here.publicKey, message, signature), 'verified there');
        }
      },
    },
    {
      name: 'Ed25519: a change in any byte of key, message or signature is false',
      run: () => {
        const { publicKey, message, signature } = signed(vectors[2]);
        isTrue(provider.verify(publicKey, message, signature), 'unchanged: true');
        for (let index = 0; index < 64; index += 3) {
          isTrue(!provider.verify(publicKey, message, changed(signature, index)), `signature, byte ${index}: false`);
        }
        for (let index = 0; index < 32; index += 3) {
          isTrue(!provider.verify(changed(publicKey, index), message, signature), `key, byte ${index}: false`);
        }
        isTrue(!provider.verify(publicKey, changed(message, 0), signature), 'message: false');
        isTrue(!provider.verify(publicKey, new Uint8Array(0), signature), 'no message: false');
      },
    },
    {
      name: 'Ed25519: a signature has one form only (RFC 8032 §5.1.7: S below the order)',
      run: () => {
        for (const vector of vectors) {
          const { publicKey, message, signature } = signed(vector);
          const second = signature.slice();
          add(second.subarray(32), ORDER);
          isTrue(!provider.verify(publicKey, message, second), `S plus the order, of ${bytesToHex(publicKey)}: false`);
        }
      },
    },
    {
      name: 'Ed25519: malformed keys and signatures are false',
      run: () => {
        const { publicKey, message, signature } = signed(vectors[1]);
        for (const length of [0, 31, 33]) isTrue(!provider.verify(new Uint8Array(length), message, signature), `key of ${length}: false`);
        for (const length of [0, 32, 63, 65]) {
          isTrue(!provider.verify(publicKey, message, new Uint8Array(length)), `signature of ${length}: false`);
        }
        isTrue(!provider.verify(publicKey, message, signature.subarray(0, 63)), 'truncated signature: false');
        // y = 2 is on no point.
        const noPoint = new Uint8Array(32);
        noPoint[0] = 2;
        isTrue(!provider.verify(noPoint, message, signature), 'a key that is no point: false');
        const noPointSignature = signature.slice();
        noPointSignature.set(noPoint);
        isTrue(!provider.verify(publicKey, message, noPointSignature), 'an R that is no point: false');
        for (const point of [NOT_CANONICAL, IDENTITY, T]) {
          isTrue(!provider.verify(hexToBytes(point), message, signature), `key ${point}: false`);
        }
      },
    },
    ...edges.map(([what, valid, message, key, r, s]) => ({
      name: `Ed25519: ${what} is ${valid ? 'valid' : 'false'}, without the cofactor and without points of small order`,
      published: true as const,
      run: () => {
        const signature = hexToBytes(r + s);
        isTrue(provider.verify(hexToBytes(key), utf8ToBytes(message), signature) === valid, what);
        isTrue(reference.verify(hexToBytes(key), utf8ToBytes(message), signature) === valid, `${what}, by the reference`);
      },
    })),
    {
      name: 'Ed25519: refuses seeds of another length and keeps its own copy',
      run: () => {
        for (const length of [0, 31, 33, 64]) throwsRangeError(() => provider.signingKey(new Uint8Array(length)), `seed of ${length}`);
        const { seed, message, signature } = signed(vectors[1]);
        const key = provider.signingKey(seed);
        seed.fill(0);
        isBytes(key.sign(message), signature, 'signature');
      },
    },
  ];
}

function changed(bytes: Uint8Array, index: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] = (copy[index] ?? 0) ^ (1 << (index % 8));
  return copy;
}

/** Adds `term` to `sum`, both little-endian. */
function add(sum: Uint8Array, term: Uint8Array): void {
  let carry = 0;
  for (const [index, byte] of term.entries()) {
    const total = (sum[index] ?? 0) + byte + carry;
    sum.set([total & 0xff], index);
    carry = total >> 8;
  }
}
