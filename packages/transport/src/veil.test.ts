import { createHash, createHmac, createCipheriv } from 'node:crypto';
import { portableProvider } from '@matryoshka/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../test/seeded-random.ts';
import { MAX_VEILED_LENGTH, MAX_VEILED_MESSAGE_LENGTH, VeilMaker } from './veil.ts';

const NETWORK_KEY = new Uint8Array(16).fill(9);
const NONCE = new Uint8Array(16).fill(1);
const ANSWER_NONCE = new Uint8Array(16).fill(2);
const REFUSED = expect.objectContaining({ code: 'transport.protocol' }) as unknown;

function maker(networkKey: Uint8Array | undefined = NETWORK_KEY): VeilMaker {
  return new VeilMaker(portableProvider, networkKey);
}

/** Another implementation of §2.1: the body of a frame for what is in the veil. */
function sealed(key: Uint8Array, counter: number, plaintext: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce[4] = counter;
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

function veilKey(networkKey: Uint8Array | undefined, purpose: number, ...nonces: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update('matryoshka veil 1');
  const key = networkKey === undefined ? hash.update('\0').digest() : hash.update('\u0001').update(networkKey).digest();
  return createHmac('sha256', key)
    .update(Buffer.concat([Uint8Array.of(purpose), ...nonces]))
    .digest();
}

describe('the veil of a handshake (docs/protocol.md §2.1)', () => {
  test('comes off on the other side, message after message', () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: MAX_VEILED_MESSAGE_LENGTH });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), fc.nat(), (messages, seed) => {
        const [sender, receiver] = [maker().forward(NONCE), maker().forward(NONCE)];
        const random = seededRandom(seed);
        for (const bytes of messages) {
          const body = sender.seal([bytes.subarray(0, 1), bytes.subarray(1)], bytes.length, random);
          expect(body.length).toBeLessThanOrEqual(MAX_VEILED_LENGTH);
          expect(receiver.open(body)).toEqual(bytes);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is what the specification says', () => {
    const message = Uint8Array.of(5, 6, 7);
    const plaintext = Uint8Array.of(0, 3, 5, 6, 7, 0, 0);
    expect(
      maker()
        .forward(NONCE)
        .open(sealed(veilKey(NETWORK_KEY, 1, NONCE), 0, plaintext)),
    ).toEqual(message);
    expect(
      maker()
        .backward(NONCE, ANSWER_NONCE)
        .open(sealed(veilKey(NETWORK_KEY, 3, NONCE, ANSWER_NONCE), 0, plaintext)),
    ).toEqual(message);
    const open = new VeilMaker(portableProvider, undefined).forward(NONCE);
    expect(open.open(sealed(veilKey(undefined, 1, NONCE), 0, plaintext))).toEqual(message);
    expect(open.open(sealed(veilKey(undefined, 1, NONCE), 1, plaintext))).toEqual(message);
  });

  test('does not come off under another network key, nonce or direction', () => {
    const body = maker().forward(NONCE).seal([NONCE], 16, seededRandom(1));
    const others = [
      maker(new Uint8Array(16).fill(8)).forward(NONCE),
      new VeilMaker(portableProvider, undefined).forward(NONCE),
      maker().forward(ANSWER_NONCE),
      maker().backward(NONCE, ANSWER_NONCE),
    ];
    for (const other of others) expect(() => other.open(body.slice())).toThrow(REFUSED);
  });

  test('does not come off once any bit was changed, in padding as in the message, or any byte is missing', () => {
    const random = seededRandom(3);
    const body = maker().forward(NONCE).seal([NONCE], 16, random);
    expect(body.length).toBeGreaterThan(200);
    for (let at = 0; at < body.length; at += 7) {
      const changed = body.slice();
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(() => maker().forward(NONCE).open(changed)).toThrow(REFUSED);
      expect(() => maker().forward(NONCE).open(body.slice(0, at))).toThrow(REFUSED);
    }
  });

  test('does not come off a second time, or out of order', () => {
    const random = seededRandom(4);
    const [sender, receiver] = [maker().forward(NONCE), maker().forward(NONCE)];
    const [first, second] = [sender.seal([NONCE], 16, random), sender.seal([NONCE], 16, random)];
    expect(receiver.open(first.slice())).toEqual(NONCE);
    expect(() => receiver.open(first.slice())).toThrow(REFUSED);
    expect(() => maker().forward(NONCE).open(second.slice())).toThrow(REFUSED);
  });

  test.each([
    ['of nothing', [0, 0, 1, 2, 3]],
    ['longer than what is there', [0, 4, 1, 2, 3]],
    ['far longer', [0xff, 0xff, 1, 2, 3]],
    ['without a message', [0, 0]],
    ['cut short', [0]],
  ])('is refused with a true length %s, though it was sealed by someone who knows the key', (_what, plaintext) => {
    const body = sealed(veilKey(NETWORK_KEY, 1, NONCE), 0, Uint8Array.from(plaintext));
    expect(() => maker().forward(NONCE).open(body)).toThrow(REFUSED);
  });

  test('spreads sizes evenly over 2,048 bytes', () => {
    const random = seededRandom(5);
    const veil = maker().forward(NONCE);
    const COUNT = 4000;
    const quarters = [0, 0, 0, 0];
    const sizes = new Set<number>();
    for (let i = 0; i < COUNT; i++) {
      const { length } = veil.seal([new Uint8Array(384)], 384, random);
      const padding = length - 384 - 2 - 16;
      expect(padding).toBeGreaterThanOrEqual(0);
      expect(padding).toBeLessThan(2048);
      quarters[padding >> 9] = (quarters[padding >> 9] as number) + 1;
      sizes.add(length);
    }
    expect(sizes.size).toBeGreaterThan(1500);
    for (const count of quarters) expect(Math.abs(count - COUNT / 4)).toBeLessThan(150);
  });

  test('hides no more than 2,047 bytes', () => {
    const random = seededRandom(6);
    const veil = maker().forward(NONCE);
    expect(() => veil.seal([new Uint8Array(2048)], 2048, random)).toThrow(RangeError);
    veil.seal([new Uint8Array(2047)], 2047, random);
  });
});
