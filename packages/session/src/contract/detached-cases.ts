import type { SuiteName } from '@matryoshka/wire';
import { type Aead, type DetachedAead, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '../crypto.ts';
import { randomBytes } from '../random.ts';
import { isBytes, isSame, isTrue, throwsRangeError, throwsWhere } from './assert.ts';
import type { ContractCase, ContractSetup } from './contract-case.ts';

// Small Buffers share memory on some platforms, so lengths on both sides of that.
const lengths = [0, 1, 16, 17, 1000, 4096, 16_384, 64_512];
const NOTHING = new Uint8Array(0);

/** What an AEAD that seals and opens into memory of its own has to do: the same as `seal` and `open`, no cases for any other. */
export function detachedCases(suite: SuiteName, { provider, reference, random }: ContractSetup): readonly ContractCase[] {
  if (provider.aead(suite, randomBytes(random, KEY_LENGTH)).detached === undefined) return [];
  const keyed = (key: Uint8Array): { aead: Aead; detached: DetachedAead } => {
    const aead = provider.aead(suite, key);
    return { aead, detached: aead.detached as DetachedAead };
  };
  const sealed = (aead: Aead, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array => {
    const out = new Uint8Array(plaintext.length + TAG_LENGTH);
    aead.seal(nonce, NOTHING, plaintext, out);
    return out;
  };
  const inputs = (length: number): readonly [key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array] => [
    randomBytes(random, KEY_LENGTH),
    randomBytes(random, NONCE_LENGTH),
    randomBytes(random, length),
  ];
  return [
    {
      name: `${suite}, detached: what it seals is what seal() seals`,
      run: () => {
        for (const length of lengths) {
          const [key, nonce, plaintext] = inputs(length);
          const before = plaintext.slice();
          const { ciphertext, tag } = keyed(key).detached.seal(nonce, plaintext);
          const expected = sealed(reference.aead(suite, key), nonce, plaintext);
          isBytes(ciphertext, expected.subarray(0, length), `ciphertext of ${length} bytes`);
          isBytes(tag, expected.subarray(length), `tag of ${length} bytes`);
          isBytes(plaintext, before, 'plaintext');
        }
      },
    },
    {
      name: `${suite}, detached: opens what seal() seals, and open() what it seals`,
      run: () => {
        for (const length of lengths) {
          const [key, nonce, plaintext] = inputs(length);
          const { aead, detached } = keyed(key);
          const record = sealed(aead, nonce, plaintext);
          const before = record.slice();
          const opened = detached.open(nonce, record);
          isTrue(opened !== undefined, `${length} bytes authenticate`);
          isBytes(opened as Uint8Array, plaintext, `${length} bytes opened`);
          isBytes(record, before, 'record');

          const { ciphertext, tag } = detached.seal(nonce, plaintext);
          const out = new Uint8Array(length);
          const joined = new Uint8Array([...ciphertext, ...tag]);
          isTrue(aead.open(nonce, NOTHING, joined, out), `${length} bytes authenticate in open()`);
          isBytes(out, plaintext, `${length} bytes opened by open()`);
        }
      },
    },
    {
      name: `${suite}, detached: each result has an ArrayBuffer of its own, which may be freed at once`,
      run: () => {
        for (const length of lengths) {
          const [key, nonce, plaintext] = inputs(length);
          const { aead, detached } = keyed(key);
          const first = detached.seal(nonce, plaintext);
          const second = detached.seal(nonce, plaintext);
          const record = sealed(aead, nonce, plaintext);
          const opened = detached.open(nonce, record) as Uint8Array<ArrayBuffer>;
          const again = detached.open(nonce, record) as Uint8Array<ArrayBuffer>;
          const results = [first.ciphertext, second.ciphertext, opened, again];
          for (const bytes of results) isSame(bytes.buffer.byteLength, length, `memory of ${length} bytes`);
          isSame(new Set(results.map(({ buffer }) => buffer)).size, results.length, 'pieces of memory');
          for (const { tag } of [first, second])
            isTrue(
              results.every(({ buffer }) => buffer !== tag.buffer),
              'the tag is not freed with the ciphertext',
            );
          first.ciphertext.buffer.transfer(0);
          opened.buffer.transfer(0);
          isBytes(first.tag, record.subarray(length), 'tag of what was freed');
          isBytes(second.ciphertext, record.subarray(0, length), 'another ciphertext');
          isBytes(again, plaintext, 'another plaintext');
        }
      },
    },
    {
      name: `${suite}, detached: does not open what was changed, cut short or sealed under anything else`,
      run: () => {
        for (const length of [20, 40_000]) {
          const [key, nonce, plaintext] = inputs(length);
          const { aead, detached } = keyed(key);
          const record = sealed(aead, nonce, plaintext);
          const refused = (what: string, bytes: Uint8Array, by = detached, under = nonce): void =>
            isTrue(by.open(under, bytes) === undefined, `${length} bytes, ${what}: refused`);
          for (const index of [0, length >> 1, length - 1, length, length + 15]) {
            const changed = record.slice();
            changed[index] = (changed[index] ?? 0) ^ 4;
            refused(`byte ${index} changed`, changed);
          }
          for (const short of [0, 1, TAG_LENGTH - 1, TAG_LENGTH, record.length - 1])
            refused(`${short} bytes of it`, record.subarray(0, short));
          refused('other nonce', record, detached, randomBytes(random, NONCE_LENGTH));
          refused('other key', record, keyed(randomBytes(random, KEY_LENGTH)).detached);
          const associated = new Uint8Array(record.length);
          aead.seal(nonce, Uint8Array.of(1), plaintext, associated);
          refused('associated data', associated);
          isTrue(detached.open(nonce, record) !== undefined, 'unchanged: opened');
        }
      },
    },
    {
      name: `${suite}, detached: refuses a wrong length of the nonce, and a key that is wiped`,
      run: () => {
        const [key, nonce, plaintext] = inputs(100);
        const { aead, detached } = keyed(key);
        const record = sealed(aead, nonce, plaintext);
        for (const length of [0, 11, 13]) {
          throwsRangeError(() => detached.seal(new Uint8Array(length), plaintext), `sealing with a nonce of ${length}`);
          throwsRangeError(() => detached.open(new Uint8Array(length), record), `opening with a nonce of ${length}`);
        }
        aead.wipe();
        const any = (): boolean => true;
        throwsWhere(() => detached.seal(nonce, plaintext), any, 'sealing with a wiped key');
        throwsWhere(() => detached.open(nonce, record), any, 'opening with a wiped key');
      },
    },
  ];
}
