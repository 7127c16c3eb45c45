import { hexToBytes } from '@noble/hashes/utils.js';
import { randomBytes } from '../random.ts';
import { isBytes, isTrue, throwsRangeError, throwsWhere } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';

// RFC 7748 §5.2: scalar, u-coordinate, result. The second u-coordinate has its unused top bit set.
const multiplications = [
  [
    'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  ],
  [
    '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  ],
] as const;

// RFC 7748 §6.1.
const alice = {
  secret: hexToBytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
  publicKey: hexToBytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
};
const bob = {
  secret: hexToBytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
  publicKey: hexToBytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
};
const aliceAndBob = hexToBytes('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');

/** Every point of low order of the curve and its twist: 0, 1, order 8 twice, p - 1, and the encodings p and p + 1 of 0 and 1. */
const lowOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
] as const;

/** What a provider's X25519 has to do. */
export function dhCases({ provider, reference, random }: ContractSetup): readonly ContractCase[] {
  return [
    {
      name: 'X25519: multiplies as in RFC 7748 §5.2',
      published: true,
      run: () => {
        for (const [scalar, u, result] of multiplications) {
          isBytes(provider.dhKeyPair(hexToBytes(scalar)).shared(hexToBytes(u)), hexToBytes(result), 'product');
        }
      },
    },
    {
      name: 'X25519: agrees on a secret as in RFC 7748 §6.1',
      published: true,
      run: () => {
        const [a, b] = [provider.dhKeyPair(alice.secret), provider.dhKeyPair(bob.secret)];
        isBytes(a.publicKey, alice.publicKey, "Alice's public key");
        isBytes(b.publicKey, bob.publicKey, "Bob's public key");
        isBytes(a.shared(b.publicKey), aliceAndBob, "Alice's shared secret");
        isBytes(b.shared(a.publicKey), aliceAndBob, "Bob's shared secret");
      },
    },
    {
      name: 'X25519: agrees with the reference',
      run: () => {
        for (let round = 0; round < 8; round += 1) {
          const [mine, theirs] = [randomBytes(random, 32), randomBytes(random, 32)];
          const [here, there] = [provider.dhKeyPair(mine), reference.dhKeyPair(theirs)];
          isBytes(here.publicKey, reference.dhKeyPair(mine).publicKey, 'public key');
          const shared = here.shared(there.publicKey);
          isBytes(shared, there.shared(here.publicKey), 'shared secret');
          isTrue(
            shared.some((byte) => byte !== 0),
            'it is not zero',
          );
          // Any 32 bytes are a public key, on the curve or on its twist.
          const anything = randomBytes(random, 32);
          isBytes(here.shared(anything), reference.dhKeyPair(mine).shared(anything), 'shared secret of random bytes');
        }
      },
    },
    {
      name: 'X25519: a public key of low order gives zeros (Noise rev 34 §12.1)',
      run: () => {
        const pair = provider.dhKeyPair(alice.secret);
        for (const point of lowOrder) {
          const encoded = hexToBytes(point);
          isBytes(pair.shared(encoded), new Uint8Array(32), point);
          encoded[31] = (encoded[31] ?? 0) | 0x80;
          isBytes(pair.shared(encoded), new Uint8Array(32), `${point} with the unused bit`);
        }
      },
    },
    {
      name: 'X25519: refuses wrong lengths',
      run: () => {
        const pair = provider.dhKeyPair(alice.secret);
        for (const length of [0, 31, 33, 64]) {
          throwsRangeError(() => provider.dhKeyPair(new Uint8Array(length)), `secret of ${length} bytes`);
          throwsRangeError(() => pair.shared(new Uint8Array(length)), `public key of ${length} bytes`);
        }
      },
    },
    {
      name: 'X25519: keeps its own copy of the secret, until it is wiped',
      run: () => {
        const secret = alice.secret.slice();
        const pair = provider.dhKeyPair(secret);
        isBytes(secret, alice.secret, 'the secret handed over');
        secret.fill(0);
        isBytes(pair.shared(bob.publicKey), provider.dhKeyPair(alice.secret).shared(bob.publicKey), 'shared secret');
        pair.wipe();
        pair.wipe();
        throwsWhere(
          () => pair.shared(bob.publicKey),
          () => true,
          'using a wiped secret',
        );
      },
    },
  ];
}
