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
    expect(bars).toEqual(parsePattern('MY', '  MY:\n    <- s\n    ...\n    -> e, es\n    <- e, ee', ['psk2']));
    expect(bars).toEqual({
      name: 'MYpsk2',
      preMessages: ['responder'],
      messages: [
        ['e', 'es'],
        ['e', 'ee', 'psk'],
      ],
    });
  });

  test('a name of the notation with modifiers goes on with further ones', () => {
    expect(parsePattern('NNpsk0', 'NNpsk0: | -> psk, e | <- e, ee', ['psk2'])).toEqual(namedPattern('NNpsk0+psk2'));
    expect(parsePattern('NNhfs', '-> e, e1 | <- e, ee, ekem1')).toEqual(namedPattern('NNhfs'));
  });

  test("the initiator's static key is hashed first, wherever the text has it (Noise §5.3)", () => {
    expect(parsePattern('KK', '<- s | -> s | ... | -> e, es, ss | <- e, ee, se')).toEqual(namedPattern('KK'));
  });

  test.each([
    ['no messages', '', /no messages/],
    ['no messages after the pre-messages', '<- s | ...', /no messages/],
    ['an unknown token', '-> e, f', /unknown token "f"/],
    ['an empty token', '-> e,', /unknown token ""/],
    ['the responder first', '<- e', /must begin with ->/],
    ['the same side twice', '-> e | -> s', /must begin with <-/],
    ['dots twice', '<- s | ... | ... | -> e, es', /must begin with ->/],
    ['another name', 'NN: | -> e | <- e, ee', /begins with "NN:"/],
    ['an ephemeral key as pre-message', '-> e | ... | <- e, ee', /not a pre-message/],
    ['a pre-message with tokens', '<- e, s | ... | -> e', /not a pre-message/],
    ['rule 1: a DH with a key that was not sent', '-> e, ee', /ee before e of the responder \(Noise §7.3 rule 1\)/],
    ['rule 1: a DH with a key that is sent after it', '-> e | <- ee, e', /ee before e of the responder \(Noise §7.3 rule 1\)/],
    ['rule 1: a static key nobody knows', '-> e, es', /es before s of the responder \(Noise §7.3 rule 1\)/],
    ['rule 2: the same key twice', '-> e | <- e, ee | -> e', /e of the initiator comes twice \(Noise §7.3 rule 2\)/],
    ['rule 2: a static key twice', '-> s | ... | -> e, s', /s of the initiator comes twice \(Noise §7.3 rule 2\)/],
    ['rule 2: a pre-message twice', '<- s | <- s | ... | -> e, es', /s of the responder comes twice \(Noise §7.3 rule 2\)/],
    ['rule 3: the same DH twice', '-> e | <- e, ee, ee', /ee comes twice \(Noise §7.3 rule 3\)/],
    ['rule 4: ss without es', '-> s | <- s | ... | -> e, ss', /initiator encrypts a payload after ss without es \(Noise §7.3 rule 4\)/],
    ['rule 4: ss without se', '-> s | <- s | ... | -> e, es, ss | <- e, ee', /responder encrypts a payload after ss without se/],
    ['rule 4: es without ee', '<- s | ... | -> e, es | <- e', /responder encrypts a payload after es without ee/],
    ['rule 4: se without ee', '-> e | <- e | -> s, se', /initiator encrypts a payload after se without ee/],
    ['rule 4: a static key after es', '-> e, s | <- e, s, es, se | -> ee', /responder encrypts a payload after es without ee/],
    ['rule 4: transport messages after se', '-> e, s | <- e, se', /initiator encrypts transport messages after se without ee/],
    ['rule 4: transport messages after ss', '-> s | <- s | ... | -> e | <- e, ee, se, ss', /transport messages after ss without es/],
    ['a psk without e', '-> psk', /initiator encrypts a payload after psk without e \(Noise §9.3\)/],
    ['a psk and a static key before e', '-> psk, s, e', /initiator encrypts s after psk without e/],
    ['a psk and transport messages without e', '-> s | <- e, psk', /initiator encrypts transport messages after psk without e/],
    ['e1 without ekem1', '-> e, e1 | <- e, ee', /e1 without ekem1 \(Noise HFS §4\)/],
    ['ekem1 without e1', '-> e | <- e, ee, ekem1', /ekem1 before e1 of the initiator/],
    ['ekem1 before ee', '-> e, e1 | <- e, ekem1, ee', /ekem1 before ee/],
    ['ekem1 twice', '-> e, e1 | <- e, ee, ekem1, ekem1', /ekem1 comes twice/],
    ['ekem1 to oneself', '-> e | <- e, e1, ee, ekem1', /ekem1 before e1 of the initiator/],
    ['e1 twice', '-> e, e1 | <- e, e1, ee, ekem1', /e1 comes twice/],
  ])('refused: %s', (_rule, lines, message) => {
    expect(() => parsePattern('MY', lines)).toThrow(RangeError);
    expect(() => parsePattern('MY', lines)).toThrow(message);
  });

  test.each(['', 'my', 'MY+psk0', 'MYpsk0+', 'MY_', 'Ü'])('%j is no name of a pattern', (name) => {
    expect(() => parsePattern(name, '-> e | <- e, ee')).toThrow(/no name of a pattern/);
  });

  test('psk in a pattern whose responder sends nothing of its own is refused wherever it stands (Noise §9.3)', () => {
    for (const psk of ['psk0', 'psk1', 'psk2'])
      expect(() => parsePattern('MY', '-> s | ... | -> e | <- s', [psk])).toThrow(/responder encrypts (s|a payload) after psk without e/);
  });

  test('a modifier that does not fit is named', () => {
    expect(() => namedPattern('NNpsk3')).toThrow(/psk3 does not fit pattern NNpsk3: it has 2 messages/);
    expect(() => namedPattern('Khfs')).toThrow(/hfs does not fit pattern Khfs: it has no ee/);
    expect(() => namedPattern('XXfallback')).toThrow(/unknown modifier "fallback"/);
    expect(() => namedPattern('NNpsk0+psk0')).toThrow(/repeats a modifier/);
  });
});

describe('protocol names (Noise §8)', () => {
  test('name all the functions', () => {
    const name = 'Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_BLAKE2b';
    expect(parseProtocolName(name)).toEqual({ name, pattern: namedPattern('XXhfs+psk0'), suite: 'aes256gcm', hash: 'BLAKE2b' });
  });

  test('may name patterns of your own, with modifiers', () => {
    const own = { OWN: '-> e | <- e, ee, s, es', OTHER: 'OTHER:\n  -> e, s\n  <- e, ee, se' };
    expect(parseProtocolName('Noise_OWNpsk0+psk2_25519_ChaChaPoly_SHA256', own).pattern).toEqual({
      ...namedPattern('NXpsk0+psk2'),
      name: 'OWNpsk0+psk2',
    });
    expect(parseProtocolName('Noise_OTHERhfs_25519+MLKEM768_AESGCM_SHA512', own).pattern.messages).toEqual(namedPattern('INhfs').messages);
    expect(parseProtocolName('Noise_XX_25519_ChaChaPoly_SHA256', own)).toEqual(parseProtocolName('Noise_XX_25519_ChaChaPoly_SHA256'));
    expect(() => parseProtocolName('Noise_OWNpsk3_25519_ChaChaPoly_SHA256', own)).toThrow(/psk3 does not fit/);
    expect(() => parseProtocolName('Noise_NONE_25519_ChaChaPoly_SHA256', own)).toThrow(/unknown handshake pattern/);
    expect(() => parseProtocolName('Noise_XX_25519_ChaChaPoly_SHA256', { XX: '-> e' })).toThrow(/XX is a pattern of the specification/);
    expect(() => parseProtocolName('Noise_BAD_25519_ChaChaPoly_SHA256', { BAD: '-> e, es' })).toThrow(/rule 1/);
  });

  test.each([
    `Noise_XX_25519_ChaChaPoly_${'SHA256'.repeat(40)}`,
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
