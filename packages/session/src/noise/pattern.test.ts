import { describe, expect, test } from 'vitest';
import type { HandshakePattern } from './pattern.ts';
import { PATTERN_NAMES, namedPattern } from './pattern-catalog.ts';
import { parsePattern } from './pattern-text.ts';
import { parseProtocolName } from './protocol-name.ts';

function text(pattern: HandshakePattern): string {
  return pattern.messages.map((tokens) => tokens.join(', ')).join(' / ');
}

describe('named patterns (Noise §7)', () => {
  test('there are 3 one-way, 12 fundamental and 23 deferred ones, all valid', () => {
    expect(PATTERN_NAMES).toHaveLength(38);
    for (const name of PATTERN_NAMES) expect(namedPattern(name).name).toBe(name);
  });

  test.each([
    '',
    'Q',
    'xx',
    'XXfallback',
    'XX+psk0',
    'XXpsk',
    'XXpsk4',
    'XXpsk00',
    'XXpsk0psk1',
    'XXpsk0+psk0',
    'XXpsk0+',
    'constructor',
    'Nhfs',
  ])('%j is none', (name) => {
    expect(() => namedPattern(name)).toThrow(RangeError);
  });
});

describe('psk modifiers (Noise §9.4)', () => {
  test('every pattern takes them in every position, alone and all at once', () => {
    for (const name of PATTERN_NAMES) {
      const all = Array.from({ length: namedPattern(name).messages.length + 1 }, (_, position) => `psk${position}`);
      for (const modifier of all)
        expect(
          namedPattern(name + modifier)
            .messages.flat()
            .filter((token) => token === 'psk'),
        ).toHaveLength(1);
      expect(
        namedPattern(name + all.join('+'))
          .messages.flat()
          .filter((token) => token === 'psk'),
      ).toHaveLength(all.length);
    }
  });

  test('psk0 begins the first message, psk1 ends it', () => {
    expect(text(namedPattern('XXpsk0+psk1+psk3'))).toBe('psk, e, psk / e, ee, s, es / s, se, psk');
  });
});

describe('the hfs modifier (Noise HFS §5)', () => {
  test.each([
    ['NNhfs', 'e, e1 / e, ee, ekem1'],
    ['NKhfs', 'e, es, e1 / e, ee, ekem1'],
    ['XXhfs', 'e, e1 / e, ee, ekem1, s, es / s, se'],
    ['IKhfs', 'e, es, e1, s, ss / e, ee, ekem1, se'],
    ['KKhfs', 'e, es, e1, ss / e, ee, ekem1, se'],
    ['IXhfs', 'e, e1, s / e, ee, ekem1, se, s, es'],
    ['XXhfs+psk0', 'psk, e, e1 / e, ee, ekem1, s, es / s, se'],
    ['NKhfs+psk0', 'psk, e, es, e1 / e, ee, ekem1'],
  ])('%s is %s', (name, tokens) => {
    expect(text(namedPattern(name))).toBe(tokens);
  });

  test('every interactive pattern takes it, no one-way pattern does', () => {
    for (const name of PATTERN_NAMES) {
      if (namedPattern(name).messages.length > 1) expect(text(namedPattern(`${name}hfs+psk0`))).toMatch(/^psk, e, .*e1.* \/ .*ee, ekem1/);
      else expect(() => namedPattern(`${name}hfs`)).toThrow(RangeError);
    }
  });
});

describe('patterns from token text', () => {
  test('line breaks or bars separate the lines', () => {
    const bars = parsePattern('MY', '<- s | ... | -> e, es | <- e, ee', ['psk2']);
    expect(bars).toEqual(parsePattern('MY', '\n<- s\n...\n-> e, es\n<- e, ee\n', ['psk2']));
    expect(bars).toEqual({
      name: 'MYpsk2',
      preMessages: ['responder'],
      messages: [
        ['e', 'es'],
        ['e', 'ee', 'psk'],
      ],
    });
  });

  test.each([
    ['no messages', '', /no messages/],
    ['no messages after the pre-messages', '<- s | ...', /no messages/],
    ['an unknown token', '-> e, f', /unknown token/],
    ['an empty token', '-> e,', /unknown token/],
    ['the responder first', '<- e', /must begin with ->/],
    ['the same side twice', '-> e | -> s', /must begin with <-/],
    ['an ephemeral key as pre-message', '-> e | ... | <- e, ee', /not a pre-message/],
    ['rule 1: a DH with a key that was not sent', '-> e, ee', /ee before e of the responder/],
    ['rule 1: a static key nobody knows', '-> e, es', /es before s of the responder/],
    ['rule 2: the same key twice', '-> e | <- e, ee | -> e', /e of the initiator comes twice/],
    ['rule 2: a static key twice', '-> s | ... | -> e, s', /s of the initiator comes twice/],
    ['rule 3: the same DH twice', '-> e | <- e, ee, ee', /ee comes twice/],
    ['rule 4: ss without es', '-> s | <- s | ... | -> e, ss', /after ss without es/],
    ['rule 4: es without ee', '<- s | ... | -> e, es | <- e', /after es without ee/],
    ['rule 4: se without ee', '-> e | <- e | -> s, se', /after se without ee/],
    ['a psk without e', '-> psk', /after psk without e/],
    ['e1 without ekem1', '-> e, e1 | <- e, ee', /e1 without ekem1/],
    ['ekem1 without e1', '-> e | <- e, ee, ekem1', /ekem1 before e1 of the initiator/],
    ['ekem1 to oneself', '-> e | <- e, e1, ee, ekem1', /ekem1 before e1 of the initiator/],
    ['e1 twice', '-> e, e1 | <- e, e1, ee, ekem1', /e1 comes twice/],
  ])('refused: %s', (_rule, lines, message) => {
    expect(() => parsePattern('MY', lines)).toThrow(message);
  });

  test('psk0 in a pattern whose responder sends nothing of its own is refused (Noise §9.3)', () => {
    expect(() => parsePattern('MY', '-> s | ... | -> e | <- s', ['psk0'])).toThrow(/psk without e/);
  });
});

describe('protocol names (Noise §8)', () => {
  test('name all the functions', () => {
    const name = 'Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_BLAKE2b';
    expect(parseProtocolName(name)).toEqual({ name, pattern: namedPattern('XXhfs+psk0'), suite: 'aes256gcm', hash: 'BLAKE2b' });
  });

  test.each([
    'Noise_XX_25519_ChaChaPoly',
    'Noise_XX_25519_ChaChaPoly_SHA256_more',
    'noise_XX_25519_ChaChaPoly_SHA256',
    'Noise_XX_448_ChaChaPoly_SHA256',
    'Noise_XX_25519_Salsa_SHA256',
    'Noise_XX_25519_toString_SHA256',
    'Noise_XX_25519_ChaChaPoly_MD5',
    'Noise_XX_25519+MLKEM768_ChaChaPoly_SHA256',
    'Noise_XXhfs_25519_ChaChaPoly_SHA256',
    'Noise_XXhfs_25519+Kyber1024_ChaChaPoly_SHA256',
  ])('%s is refused', (name) => {
    expect(() => parseProtocolName(name)).toThrow(RangeError);
  });
});
