import { TAG_LENGTH, portableProvider, randomBytes } from '@matryoshka/session';
import { providerContract } from '@matryoshka/session/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../seeded-random.ts';
import { SealRecord } from './seal-record.ts';
import { simulatedProvider } from './simulated-provider.ts';

const provider = simulatedProvider();
const cases = providerContract(provider, seededRandom(1));

describe('the simulated provider', () => {
  test.each(cases.filter(({ published }) => published !== true))('$name', ({ run }) => run());

  test('is no real one: it meets none of the published vectors', async () => {
    const published = cases.filter(({ published: only }) => only === true);
    expect(published.length).toBeGreaterThan(10);
    // Some of the edge cases of Ed25519 are refusals, and it refuses everything that it has not made itself.
    const vectors = published.filter(({ name }) => !name.endsWith('small order'));
    for (const { run } of vectors) await expect((async () => run())()).rejects.toThrow('expected');
  });

  test('draws the randomness of an encapsulation from its argument, so that a world replays it', () => {
    const { publicKey } = provider.kemKeyPair(new Uint8Array(64));
    expect(provider.kemEncapsulate(publicKey, seededRandom(5))).toEqual(provider.kemEncapsulate(publicKey, seededRandom(5)));
  });

  test('spreads whatever it is given over all bits', () => {
    const digests = Array.from({ length: 2000 }, (_, i) => provider.hash('SHA256').digest(Uint8Array.of(i, i >> 8)));
    const ones = new Uint32Array(256);
    for (const digest of digests) for (let bit = 0; bit < 256; bit++) ones[bit]! += ((digest[bit >> 3] as number) >> (bit & 7)) & 1;
    expect(Math.min(...ones)).toBeGreaterThan(850);
    expect(Math.max(...ones)).toBeLessThan(1150);
  });

  test('two keys, suites or nonces give other ciphertexts of the same zeros, without a block in common', () => {
    const blocks = new Set<string>();
    let count = 0;
    for (const suite of ['chacha20poly1305', 'aes256gcm'] as const) {
      for (let key = 0; key < 8; key++) {
        const aead = provider.aead(suite, new Uint8Array(32).fill(key));
        for (let nonce = 0; nonce < 8; nonce++) {
          const out = new Uint8Array(4096 + TAG_LENGTH);
          aead.seal(Uint8Array.of(0, 0, 0, 0, nonce, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(0), new Uint8Array(4096), out);
          for (let at = 0; at < out.length; at += 16, count++) blocks.add(out.subarray(at, at + 16).toHex());
        }
      }
    }
    expect(blocks.size).toBe(count);
  });

  test('agrees on Diffie-Hellman secrets, and only with the other secret', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (a, b) => {
        const [alice, bob] = [provider.dhKeyPair(a), provider.dhKeyPair(b)];
        expect(alice.shared(bob.publicKey)).toEqual(bob.shared(alice.publicKey));
        const eve = provider.dhKeyPair(randomBytes(seededRandom(9), 32));
        expect(eve.shared(bob.publicKey)).not.toEqual(alice.shared(bob.publicKey));
      }),
      { numRuns: 50 },
    );
  });

  test('is fast', () => {
    const plaintext = new Uint8Array(63 * 1024);
    const time = ({ aead }: Pick<typeof provider, 'aead'>): number => {
      const key = aead('chacha20poly1305', new Uint8Array(32));
      const out = new Uint8Array(plaintext.length + TAG_LENGTH);
      for (let i = 0; i < 50; i++) key.seal(new Uint8Array(12), new Uint8Array(0), plaintext, out);
      const start = performance.now();
      for (let i = 0; i < 50; i++) key.seal(new Uint8Array(12), new Uint8Array(0), plaintext, out);
      return performance.now() - start;
    };
    expect(time(provider)).toBeLessThan(time(portableProvider));
  });
});

describe('a record of sealings', () => {
  const NONCE = Uint8Array.of(0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0);
  const seal = (record: SealRecord, name: string, key: number, nonce: Uint8Array, text: string): void => {
    const plaintext = new TextEncoder().encode(text);
    const aead = simulatedProvider({ record, name }).aead('chacha20poly1305', new Uint8Array(32).fill(key));
    aead.seal(nonce, new Uint8Array(0), plaintext, new Uint8Array(plaintext.length + TAG_LENGTH));
  };

  test('finds a key that seals two things with one nonce, whoever does, and names both', () => {
    let now = 10;
    const record = new SealRecord(() => now);
    seal(record, 'alice', 1, NONCE, 'one');
    now = 25;
    seal(record, 'bob', 1, NONCE, 'three');
    expect(record.seals).toBe(2);
    expect(record.violations).toEqual([
      expect.stringMatching(
        /^key chacha20poly1305 [0-9a-f]{32} sealed twice with nonce 000000000700000000000000: 3 bytes by alice at 10 ms, then 5 bytes by bob at 25 ms$/,
      ),
    ]);
  });

  test('has nothing against other keys, other nonces, or the same thing once more', () => {
    const record = new SealRecord();
    for (const key of [1, 2]) {
      for (let byte = 0; byte < 12; byte++) {
        const nonce = new Uint8Array(12);
        nonce[byte] = 1;
        seal(record, 'alice', key, nonce, `text ${byte}`);
        seal(record, 'alice', key, nonce, `text ${byte}`);
      }
    }
    expect(record.violations).toEqual([]);
  });

  test('ends at 100', () => {
    const record = new SealRecord();
    for (let i = 0; i < 200; i++) seal(record, 'alice', 1, NONCE, `text ${i}`);
    expect(record.violations.length).toBe(100);
  });
});
