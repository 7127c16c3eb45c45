import { createCipheriv } from 'node:crypto';
import type { SuiteName } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detachedProvider } from '../test/detached-provider.ts';
import { type Aead, type CryptoProvider, TAG_LENGTH } from './crypto.ts';
import { portableProvider } from './portable/provider.ts';
import { MAX_RECORDS_PER_KEY, RecordKeys } from './records.ts';

const KEY = new Uint8Array(32).map((_, index) => index);
const FAILED = expect.objectContaining({ code: 'session.record-failed' }) as unknown;
const SUITES: readonly SuiteName[] = ['chacha20poly1305', 'aes256gcm'];

function pair(suite: SuiteName): readonly [RecordKeys, RecordKeys] {
  return [new RecordKeys(portableProvider, suite, KEY), new RecordKeys(portableProvider, suite, KEY)];
}

function sealed(keys: RecordKeys, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length + TAG_LENGTH);
  expect(keys.seal(plaintext, out)).toBe(out.length);
  return out;
}

/** A provider whose AEAD only shows the nonces it is given. */
function nonces(seen: (nonce: Uint8Array) => void): CryptoProvider {
  const aead: Aead = {
    seal: (nonce, _associated, plaintext) => {
      seen(nonce);
      return plaintext.length + TAG_LENGTH;
    },
    open: (nonce) => {
      seen(nonce);
      return true;
    },
    wipe: () => {},
  };
  return { ...portableProvider, aead: () => aead };
}

describe.each(SUITES)('records with %s', (suite) => {
  test('whatever is sealed, in place or beside it, opens in order and in place', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { minLength: 1, maxLength: 8 }), (messages) => {
        const [sender, receiver] = pair(suite);
        messages.forEach(([plaintext, inPlace], index) => {
          const buffer = new Uint8Array(plaintext.length + TAG_LENGTH);
          buffer.set(plaintext);
          sender.seal(inPlace ? buffer.subarray(0, plaintext.length) : plaintext, buffer);
          const opened = receiver.open(buffer);
          expect(opened).toEqual(plaintext);
          expect(opened.buffer).toBe(buffer.buffer);
          expect([sender.counter, receiver.counter]).toEqual([index + 1, index + 1]);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('is the AEAD under the counter as nonce, without associated data', () => {
    const [keys] = pair(suite);
    for (let counter = 0; counter < 300; counter++) {
      const record = sealed(keys, Uint8Array.of(1, 2, 3));
      // Noise §12: four bytes of zeros, then 64 bits, little-endian for ChaChaPoly, big-endian for AESGCM.
      const nonce = Buffer.alloc(12);
      if (suite === 'chacha20poly1305') nonce.writeBigUInt64LE(BigInt(counter), 4);
      else nonce.writeBigUInt64BE(BigInt(counter), 4);
      const cipher =
        suite === 'chacha20poly1305'
          ? createCipheriv('chacha20-poly1305', KEY, nonce, { authTagLength: 16 })
          : createCipheriv('aes-256-gcm', KEY, nonce);
      const expected = Buffer.concat([cipher.update(Uint8Array.of(1, 2, 3)), cipher.final(), cipher.getAuthTag()]);
      expect(Buffer.compare(record, expected)).toBe(0);
    }
  });

  test('any changed bit fails, and the counter stays', () => {
    const plaintext = new Uint8Array(20).fill(7);
    const record = sealed(pair(suite)[0], plaintext);
    const [, receiver] = pair(suite);
    for (let bit = 0; bit < record.length * 8; bit++) {
      const changed = record.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => receiver.open(changed)).toThrow(FAILED);
    }
    expect(receiver.counter).toBe(0);
    expect(receiver.open(record)).toEqual(plaintext);
  });

  test('a record that is replayed, out of order, cut short or too long fails', () => {
    const [sender, receiver] = pair(suite);
    const [first, second] = [sealed(sender, Uint8Array.of(1)), sealed(sender, Uint8Array.of(2))];
    expect(() => receiver.open(second.slice())).toThrow(FAILED);
    expect(receiver.open(first.slice())).toEqual(Uint8Array.of(1));
    expect(() => receiver.open(first.slice())).toThrow(FAILED);
    for (let length = 0; length < second.length; length++) expect(() => receiver.open(second.slice(0, length))).toThrow(FAILED);
    expect(() => receiver.open(new Uint8Array([...second, 0]))).toThrow(FAILED);
    expect(receiver.open(second)).toEqual(Uint8Array.of(2));
  });

  test('does not open under another suite', () => {
    const record = sealed(pair(suite)[0], Uint8Array.of(1));
    const [, other] = pair(suite === 'aes256gcm' ? 'chacha20poly1305' : 'aes256gcm');
    expect(() => other.open(record)).toThrow(FAILED);
  });

  test("one's own record opens again by its counter, whatever came after it", () => {
    const [sender] = pair(suite);
    const records = [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)].map((plaintext) => sealed(sender, plaintext));
    const out = new Uint8Array(8);
    expect(sender.reopen(1, records[1] as Uint8Array, out)).toBe(2);
    expect([...out.subarray(0, 2)]).toEqual([2, 2]);
    expect(() => sender.reopen(2, records[1] as Uint8Array, out)).toThrow(FAILED);
    expect(sender.counter).toBe(3);
  });

  test('no key is used after it is wiped', () => {
    const [sender] = pair(suite);
    sender.wipe();
    expect(() => sealed(sender, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'bug' }) as Error);
  });

  test('a key seals and opens its limit of records, all under different nonces, and not one more', () => {
    const last = new Uint8Array(12);
    let count = 0;
    let differ = true;
    const provider = nonces((nonce) => {
      count++;
      // Up by one each time, so different each time.
      if (count > 1 && valueOf(nonce) !== valueOf(last) + 1) differ = false;
      last.set(nonce);
    });
    const valueOf = (nonce: Uint8Array): number =>
      suite === 'chacha20poly1305'
        ? (nonce[4] as number) + (nonce[5] as number) * 2 ** 8 + (nonce[6] as number) * 2 ** 16 + (nonce[7] as number) * 2 ** 24
        : (nonce[11] as number) + (nonce[10] as number) * 2 ** 8 + (nonce[9] as number) * 2 ** 16 + (nonce[8] as number) * 2 ** 24;
    const sender = new RecordKeys(provider, suite, KEY);
    const receiver = new RecordKeys(
      nonces(() => {}),
      suite,
      KEY,
    );
    const [plaintext, out] = [new Uint8Array(0), new Uint8Array(TAG_LENGTH)];
    for (let i = 0; i < MAX_RECORDS_PER_KEY; i++) {
      sender.seal(plaintext, out);
      receiver.open(out);
    }
    expect([count, differ, valueOf(last)]).toEqual([MAX_RECORDS_PER_KEY, true, MAX_RECORDS_PER_KEY - 1]);
    const exhausted = expect.objectContaining({ code: 'session.key-exhausted' }) as unknown;
    expect(() => sender.seal(plaintext, out)).toThrow(exhausted);
    expect(() => receiver.open(out)).toThrow(exhausted);
    expect(count).toBe(MAX_RECORDS_PER_KEY);
  });
});

describe.each(SUITES)('the next generation of keys with %s', (suite) => {
  test('counts from 0, opens what the other side seals with its own, and nothing of the generation before', () => {
    const [sender, receiver] = pair(suite);
    receiver.open(sealed(sender, Uint8Array.of(1)));
    const late = sealed(sender, Uint8Array.of(2));
    const [ahead, behind] = [sender.next(), receiver.next()];
    expect([ahead.counter, behind.counter]).toEqual([0, 0]);
    const record = sealed(ahead, Uint8Array.of(3));
    expect(() => behind.open(late.slice())).toThrow(FAILED);
    expect(() => receiver.open(record.slice())).toThrow(FAILED);
    expect(behind.open(record)).toEqual(Uint8Array.of(3));
  });

  test('with the secret of an exchange is another one, and both sides need the same', () => {
    const secret = new Uint8Array(32).fill(1);
    const generations = [undefined, secret, new Uint8Array(32)].map((each) => pair(suite)[0].next(each));
    const records = generations.map((keys) => sealed(keys, Uint8Array.of(3)).join());
    expect(new Set(records).size).toBe(3);
    const record = sealed(pair(suite)[0].next(secret), Uint8Array.of(4));
    expect(() => pair(suite)[1].next().open(record.slice())).toThrow(FAILED);
    expect(pair(suite)[1].next(secret).open(record)).toEqual(Uint8Array.of(4));
  });

  test('one generation has one next, and none once it is retired or wiped', () => {
    for (const end of ['next', 'retire', 'wipe'] as const) {
      const [keys] = pair(suite);
      // Also while records are kept of it.
      keys.hold();
      keys[end]();
      expect(() => keys.next()).toThrow(TypeError);
    }
  });

  test('records kept of the one before open again until the last is let go, then its key is gone', () => {
    const [keys] = pair(suite);
    const records = [Uint8Array.of(1), Uint8Array.of(2)].map((plaintext) => {
      keys.hold();
      return sealed(keys, plaintext);
    });
    keys.next();
    keys.retire();
    const out = new Uint8Array(1);
    keys.letGo();
    expect(keys.reopen(1, records[1] as Uint8Array, out)).toBe(1);
    expect(out).toEqual(Uint8Array.of(2));
    keys.letGo();
    expect(() => keys.reopen(1, records[1] as Uint8Array, out)).toThrow(expect.objectContaining({ code: 'bug' }) as Error);
  });

  test('keeps no key that is not needed any more, here or there', () => {
    const used: Uint8Array[] = [];
    const copied: Uint8Array[] = [];
    const watching: CryptoProvider = {
      ...portableProvider,
      hash: (name) => {
        const hash = portableProvider.hash(name);
        return {
          name: hash.name,
          length: hash.length,
          blockLength: hash.blockLength,
          digest: (...parts) => hash.digest(...parts),
          hmac: (key, ...parts) => {
            used.push(key);
            const made = hash.hmac(key, ...parts);
            copied.push(made);
            return made;
          },
        };
      },
    };
    const keys = new RecordKeys(watching, suite, KEY);
    const next = keys.next();
    expect([used, copied]).toEqual([[new Uint8Array(32)], [new Uint8Array(32)]]);
    expect(next.open(sealed(pair(suite)[0].next(), Uint8Array.of(9)))).toEqual(Uint8Array.of(9));
    expect(KEY[31]).toBe(31);
  });
});

describe.each(SUITES)('records in memory of their own with %s', (suite) => {
  const FROM_LENGTH = 100;
  const detached = detachedProvider(portableProvider, FROM_LENGTH);
  const keysOf = (provider: CryptoProvider): RecordKeys => new RecordKeys(provider, suite, KEY);

  /** Seals as a record writer does. */
  function seal(keys: RecordKeys, plaintext: Uint8Array): { record: Uint8Array; apart: boolean } {
    const apart = keys.sealDetached(plaintext);
    if (apart === undefined) return { record: sealed(keys, plaintext), apart: false };
    return { record: Uint8Array.from([...apart.ciphertext, ...apart.tag]), apart: true };
  }

  test('are the same records: whoever seals and whoever opens, each with or without, one counter', () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: FROM_LENGTH - 1, max: FROM_LENGTH + 1 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(lengths, (all) => {
        const sender = keysOf(detached);
        const [plain, beside] = [keysOf(portableProvider), keysOf(portableProvider)];
        const receivers = [keysOf(detached), plain];
        for (const [index, length] of all.entries()) {
          const plaintext = new Uint8Array(length).fill(index);
          const { record, apart } = seal(sender, plaintext);
          expect(apart).toBe(length >= FROM_LENGTH);
          expect(record).toEqual(sealed(beside, plaintext));
          for (const receiver of receivers) {
            expect(receiver.open(record.slice())).toEqual(plaintext);
            receiver.free();
          }
          expect([sender, ...receivers].map(({ counter }) => counter)).toEqual([index + 1, index + 1, index + 1]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('open without touching the record, and are free again when they are not needed', () => {
    const { record } = seal(keysOf(detached), new Uint8Array(FROM_LENGTH).fill(3));
    const before = record.slice();
    const receiver = keysOf(detached);
    const plaintext = receiver.open(record);
    const memory = plaintext.buffer as ArrayBuffer;
    expect([record, plaintext, memory.detached]).toEqual([before, new Uint8Array(FROM_LENGTH).fill(3), false]);
    receiver.free();
    receiver.free();
    expect(memory.detached).toBe(true);
  });

  test('a record that was opened in place is not freed', () => {
    const sender = keysOf(detached);
    const receiver = keysOf(detached);
    receiver.free();
    receiver.open(seal(sender, new Uint8Array(FROM_LENGTH)).record);
    receiver.free();
    const small = receiver.open(seal(sender, Uint8Array.of(1, 2)).record);
    receiver.free();
    expect([...small]).toEqual([1, 2]);
  });

  test('what fails opens nothing, and the counter stays', () => {
    const { record } = seal(keysOf(detached), new Uint8Array(FROM_LENGTH));
    const receiver = keysOf(detached);
    for (const index of [0, FROM_LENGTH - 1, FROM_LENGTH, record.length - 1]) {
      const changed = record.slice();
      changed[index] = (changed[index] as number) ^ 1;
      expect(() => receiver.open(changed)).toThrow(FAILED);
    }
    expect(receiver.counter).toBe(0);
    expect(receiver.open(record)).toHaveLength(FROM_LENGTH);
  });

  test("one's own opens again by its counter", () => {
    const sender = keysOf(detached);
    const records = [1, 2, 3].map((value) => seal(sender, new Uint8Array(FROM_LENGTH).fill(value)).record);
    const out = new Uint8Array(FROM_LENGTH);
    expect(sender.reopen(1, records[1] as Uint8Array, out)).toBe(FROM_LENGTH);
    expect(out).toEqual(new Uint8Array(FROM_LENGTH).fill(2));
  });

  test('no key is used after it is wiped', () => {
    const keys = keysOf(detached);
    keys.wipe();
    const bug = expect.objectContaining({ code: 'bug' }) as Error;
    expect(() => keys.sealDetached(new Uint8Array(FROM_LENGTH))).toThrow(bug);
    expect(() => keys.open(new Uint8Array(FROM_LENGTH + TAG_LENGTH))).toThrow(bug);
  });

  test('a key seals and opens its limit of records, and not one more', () => {
    const opened = new Uint8Array(0);
    const part = { ciphertext: opened, tag: new Uint8Array(TAG_LENGTH) };
    const counting = detachedProvider(
      nonces(() => {}),
      0,
      () => ({ seal: () => part, open: () => opened }),
    );
    const keys = keysOf(counting);
    const receiver = keysOf(counting);
    for (let i = 0; i < MAX_RECORDS_PER_KEY; i++) {
      keys.sealDetached(opened);
      receiver.open(part.tag);
    }
    const exhausted = expect.objectContaining({ code: 'session.key-exhausted' }) as unknown;
    expect(() => keys.sealDetached(opened)).toThrow(exhausted);
    expect(() => receiver.open(part.tag)).toThrow(exhausted);
    expect([keys.counter, receiver.counter]).toEqual([MAX_RECORDS_PER_KEY, MAX_RECORDS_PER_KEY]);
  });
});
