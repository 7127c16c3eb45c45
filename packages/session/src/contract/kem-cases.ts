import { MatryoshkaError } from '@matryoshka/wire';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { shake256 } from '@noble/hashes/sha3.js';
import type { CryptoProvider, KemKeyPair } from '../crypto.ts';
import { randomBytes } from '../random.ts';
import { isBytes, isSame, isTrue, throwsRangeError, throwsWhere } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';
import { KEM_VECTOR } from './kem-vector.ts';

const SEED_LENGTH = 64;
const PUBLIC_KEY_LENGTH = 1184;
const CIPHERTEXT_LENGTH = 1088;

/** What a provider's ML-KEM-768 has to do. */
export function kemCases({ provider, reference, random }: ContractSetup): readonly ContractCase[] {
  const vectorPair = (): KemKeyPair => provider.kemKeyPair(hexToBytes(KEM_VECTOR.seed));
  return [
    {
      name: 'ML-KEM-768: expands a seed and decapsulates as in the published vector',
      published: true,
      run: () => {
        const pair = vectorPair();
        isSame(pair.publicKey.length, PUBLIC_KEY_LENGTH, 'length of the public key');
        isBytes(reference.hash('SHA256').digest(pair.publicKey), hexToBytes(KEM_VECTOR.publicKeyDigest), 'digest of the public key');
        isBytes(pair.decapsulate(hexToBytes(KEM_VECTOR.ciphertext)), hexToBytes(KEM_VECTOR.shared), 'shared secret');
      },
    },
    {
      name: 'ML-KEM-768: encapsulates for the reference and decapsulates from it',
      run: () => {
        for (let round = 0; round < 4; round += 1) {
          const seed = randomBytes(random, SEED_LENGTH);
          const [here, there] = [provider.kemKeyPair(seed), reference.kemKeyPair(seed)];
          isBytes(here.publicKey, there.publicKey, 'public key of the same seed');
          agree(provider, there);
          agree(reference, here);
        }
      },
    },
    {
      name: 'ML-KEM-768: gives a ciphertext nobody made the secret J(z ‖ c) (FIPS 203 §6.3)',
      published: true,
      run: () => {
        const pair = vectorPair();
        const z = hexToBytes(KEM_VECTOR.seed).subarray(32);
        const changed = hexToBytes(KEM_VECTOR.ciphertext);
        changed[CIPHERTEXT_LENGTH - 1] = (changed[CIPHERTEXT_LENGTH - 1] ?? 0) ^ 1;
        for (const ciphertext of [changed, new Uint8Array(CIPHERTEXT_LENGTH), randomBytes(random, CIPHERTEXT_LENGTH)]) {
          isBytes(pair.decapsulate(ciphertext), shake256(concatBytes(z, ciphertext), { dkLen: 32 }), 'shared secret');
        }
      },
    },
    {
      name: 'ML-KEM-768: gives a changed ciphertext another secret, always the same one',
      run: () => {
        const pair = vectorPair();
        const { ciphertext, shared } = provider.kemEncapsulate(pair.publicKey, random);
        for (const at of [0, 31, 32, 1000, CIPHERTEXT_LENGTH - 1]) {
          const changed = ciphertext.slice();
          changed[at] = (changed[at] ?? 0) ^ 1;
          const rejected = pair.decapsulate(changed);
          isBytes(rejected, vectorPair().decapsulate(changed), 'secret of the changed ciphertext');
          isTrue(
            rejected.some((byte, index) => byte !== shared[index]),
            `byte ${at} changed: another secret`,
          );
        }
      },
    },
    {
      name: 'ML-KEM-768: refuses a public key that fails the modulus check (FIPS 203 §7.2)',
      run: () => {
        const valid = vectorPair().publicKey;
        // Two coefficients of 12 bits in 3 bytes; those of a key end at byte 1,152, where rho begins.
        for (const [at, coefficients] of [
          [0, '010d00'],
          [3, 'ffffff'],
          [1149, '0010d0'],
          [600, '00f0ff'],
        ] as const) {
          const malformed = valid.slice();
          malformed.set(hexToBytes(coefficients), at);
          throwsWhere(
            () => provider.kemEncapsulate(malformed, random),
            (error) => error instanceof MatryoshkaError && error.code === 'session.handshake-failed',
            `coefficients ${coefficients} at byte ${at}`,
          );
        }
        const largest = valid.slice();
        largest.set(hexToBytes('000dd0'), 0);
        isSame(provider.kemEncapsulate(largest, random).ciphertext.length, CIPHERTEXT_LENGTH, 'coefficients q - 1 are allowed: length');
      },
    },
    {
      name: 'ML-KEM-768: refuses wrong lengths',
      run: () => {
        const pair = vectorPair();
        for (const length of [0, 32, 63, 65, 2400]) {
          throwsRangeError(() => provider.kemKeyPair(new Uint8Array(length)), `seed of ${length} bytes`);
        }
        for (const length of [0, PUBLIC_KEY_LENGTH - 1, PUBLIC_KEY_LENGTH + 1]) {
          throwsRangeError(() => provider.kemEncapsulate(new Uint8Array(length), random), `public key of ${length} bytes`);
        }
        for (const length of [0, CIPHERTEXT_LENGTH - 1, CIPHERTEXT_LENGTH + 1]) {
          throwsRangeError(() => pair.decapsulate(new Uint8Array(length)), `ciphertext of ${length} bytes`);
        }
      },
    },
    {
      name: 'ML-KEM-768: encapsulates differently each time',
      run: () => {
        const { publicKey } = vectorPair();
        const [one, two] = [provider.kemEncapsulate(publicKey, random), provider.kemEncapsulate(publicKey, random)];
        isTrue(
          one.shared.some((byte, index) => byte !== two.shared[index]),
          'two shared secrets differ',
        );
      },
    },
    {
      name: 'ML-KEM-768: keeps its own copy of the seed, until it is wiped',
      run: () => {
        const seed = hexToBytes(KEM_VECTOR.seed);
        const pair = provider.kemKeyPair(seed);
        isBytes(seed, hexToBytes(KEM_VECTOR.seed), 'the seed handed over');
        seed.fill(0);
        const { ciphertext, shared } = provider.kemEncapsulate(pair.publicKey, random);
        isBytes(pair.decapsulate(ciphertext), shared, 'shared secret');
        pair.wipe();
        pair.wipe();
        throwsWhere(
          () => pair.decapsulate(ciphertext),
          () => true,
          'using a wiped key',
        );
      },
    },
  ];

  function agree(sender: CryptoProvider, receiver: KemKeyPair): void {
    const { ciphertext, shared } = sender.kemEncapsulate(receiver.publicKey, random);
    isSame(ciphertext.length, CIPHERTEXT_LENGTH, 'length of the ciphertext');
    isBytes(receiver.decapsulate(ciphertext), shared, `secret encapsulated by ${sender.name}`);
  }
}
