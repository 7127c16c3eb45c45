import { describe, expect, test } from 'vitest';
import { portableProvider } from '../portable/provider.ts';
import { CipherState } from './cipher-state.ts';

const AD = Uint8Array.of(1, 2, 3);
const NOTHING = new Uint8Array(0);

function keyed(suite: 'chacha20poly1305' | 'aes256gcm', byte = 7): CipherState {
  const state = new CipherState(portableProvider, suite);
  state.initializeKey(new Uint8Array(32).fill(byte));
  return state;
}

function encrypt(state: CipherState, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length + state.overhead);
  state.encryptWithAd(AD, plaintext, out);
  return out;
}

function decrypt(state: CipherState, ciphertext: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(Math.max(ciphertext.length - state.overhead, 0));
  return state.decryptWithAd(AD, ciphertext, out) ? out : undefined;
}

const text = new TextEncoder().encode('matryoshka');

test('without a key bytes pass through (Noise §5.1)', () => {
  const state = new CipherState(portableProvider, 'chacha20poly1305');
  expect(state.hasKey()).toBe(false);
  expect(encrypt(state, text)).toEqual(text);
  expect(decrypt(state, text)).toEqual(text);
  expect(() => state.rekey()).toThrow(TypeError);
  expect(() => state.initializeKey(new Uint8Array(31))).toThrow(RangeError);
});

describe.each(['chacha20poly1305', 'aes256gcm'] as const)('%s', (suite) => {
  test('the nonce counts up from 0; its place and order are those of the cipher (Noise §12)', () => {
    const state = keyed(suite);
    encrypt(state, text);
    const nonce = new Uint8Array(12);
    nonce[suite === 'aes256gcm' ? 11 : 4] = 1;
    const expected = new Uint8Array(text.length + 16);
    portableProvider.aead(suite, new Uint8Array(32).fill(7)).seal(nonce, AD, text, expected);
    expect(encrypt(state, text)).toEqual(expected);
  });

  test('a message that fails leaves the nonce where it is', () => {
    const [sender, receiver] = [keyed(suite), keyed(suite)];
    const ciphertext = encrypt(sender, text);
    for (let index = 0; index < ciphertext.length; index += 1) {
      const broken = ciphertext.slice();
      broken[index] = (broken[index] as number) ^ 1;
      expect(decrypt(receiver, broken)).toBeUndefined();
    }
    expect(decrypt(receiver, ciphertext.subarray(0, 15))).toBeUndefined();
    expect(decrypt(receiver, ciphertext)).toEqual(text);
    expect(decrypt(receiver, ciphertext)).toBeUndefined();
  });

  test('the last nonce is never used (Noise §5.1)', () => {
    const [sender, receiver] = [keyed(suite), keyed(suite)];
    sender.setNonce(2n ** 64n - 2n);
    receiver.setNonce(2n ** 64n - 2n);
    const ciphertext = encrypt(sender, text);
    expect(decrypt(receiver, ciphertext)).toEqual(text);
    expect(() => encrypt(sender, text)).toThrow(expect.objectContaining({ code: 'session.key-exhausted' }));
    expect(() => decrypt(receiver, ciphertext)).toThrow(expect.objectContaining({ code: 'session.key-exhausted' }));
    expect(() => sender.setNonce(-1n)).toThrow(RangeError);
    expect(() => sender.setNonce(2n ** 64n)).toThrow(RangeError);
  });

  test('rekey keeps the nonce and replaces the key as the specification says (Noise §4.2)', () => {
    const [sender, receiver, old] = [keyed(suite), keyed(suite), keyed(suite)];
    for (const state of [sender, receiver, old]) state.setNonce(5n);
    sender.rekey();
    receiver.rekey();
    const ciphertext = encrypt(sender, text);
    expect(decrypt(old, ciphertext)).toBeUndefined();
    expect(decrypt(receiver, ciphertext)).toEqual(text);

    const next = new Uint8Array(48);
    const maxNonce = new Uint8Array(12).fill(0xff, 4);
    portableProvider.aead(suite, new Uint8Array(32).fill(7)).seal(maxNonce, NOTHING, new Uint8Array(32), next);
    const expected = new CipherState(portableProvider, suite);
    expected.initializeKey(next.slice(0, 32));
    expected.setNonce(5n);
    expect(decrypt(expected, ciphertext)).toEqual(text);
  });

  test('output that does not fit is refused', () => {
    expect(() => keyed(suite).encryptWithAd(AD, text, new Uint8Array(25))).toThrow(RangeError);
    expect(() => keyed(suite).decryptWithAd(AD, new Uint8Array(26), new Uint8Array(9))).toThrow(RangeError);
  });

  test('a message of more than 65,535 bytes is neither made nor opened (Noise §3)', () => {
    const aead = portableProvider.aead(suite, new Uint8Array(32).fill(7));
    for (const [length, opens] of [
      [65_535, true],
      [65_536, false],
    ] as const) {
      const plaintext = new Uint8Array(length - 16);
      const ciphertext = new Uint8Array(length);
      aead.seal(new Uint8Array(12), AD, plaintext, ciphertext);
      expect(decrypt(keyed(suite), ciphertext) !== undefined).toBe(opens);
      if (opens) expect(encrypt(keyed(suite), plaintext)).toEqual(ciphertext);
      else expect(() => encrypt(keyed(suite), plaintext)).toThrow(RangeError);
    }
  });

  test('after a wipe there is no key', () => {
    const state = keyed(suite);
    state.wipe();
    expect(state.hasKey()).toBe(false);
  });
});
