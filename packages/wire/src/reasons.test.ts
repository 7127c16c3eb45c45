import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REASONS, type ReasonCode, reasonFromNumber, reasonNumber } from './reasons.ts';

const codes = Object.keys(REASONS) as ReasonCode[];
// The high byte of a number is the owner of its code (docs/protocol.md §10).
const BLOCKS: Readonly<Record<string, number>> = {
  '': 0x00,
  'wire': 0x01,
  'session': 0x02,
  'stream': 0x03,
  'relay': 0x04,
  'circuit': 0x05,
  'config': 0x06,
  'node': 0x06,
  'transport': 0x07,
};

describe('the registry of reasons', () => {
  test('every number is 16 bits and belongs to one code', () => {
    const numbers = codes.map(reasonNumber);
    expect(new Set(numbers).size).toBe(codes.length);
    for (const number of numbers) {
      expect(Number.isInteger(number)).toBe(true);
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThanOrEqual(0xffff);
    }
  });

  test('every code goes to its number and back', () => {
    for (const code of codes) expect(reasonFromNumber(reasonNumber(code))).toBe(code);
  });

  test('every number is in the block of the prefix of its code', () => {
    for (const code of codes) {
      const prefix = code.includes('.') ? code.slice(0, code.indexOf('.')) : '';
      expect(reasonNumber(code) >>> 8, code).toBe(BLOCKS[prefix]);
    }
  });

  test('every code is lower-case words, and has a text of its own', () => {
    for (const code of codes) {
      expect(code).toMatch(/^(?:[a-z]+\.)?[a-z]+(?:-[a-z]+)*$/);
      expect(REASONS[code].text.length, code).toBeGreaterThan(10);
    }
    expect(new Set(codes.map((code) => REASONS[code].text)).size).toBe(codes.length);
  });

  test('a number of a later version is unknown, not an error', () => {
    const known = new Set(codes.map(reasonNumber));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (number) => {
        if (!known.has(number)) expect(reasonFromNumber(number)).toBe('unknown');
      }),
    );
    expect(reasonFromNumber(0xfffe)).toBe('unknown');
  });

  // Numbers never change their meaning: these are in the hands of other implementations.
  test('numbers stay', () => {
    expect(reasonNumber('closed')).toBe(0x0000);
    expect(reasonNumber('wire.truncated')).toBe(0x0100);
    expect(reasonNumber('session.handshake-no-answer')).toBe(0x0200);
    expect(reasonNumber('stream.unknown-protocol')).toBe(0x0300);
    expect(reasonNumber('relay.disabled')).toBe(0x0400);
    expect(reasonNumber('circuit.path-invalid')).toBe(0x0500);
    expect(reasonNumber('config.invalid')).toBe(0x0600);
    expect(reasonNumber('transport.dial-failed')).toBe(0x0700);
  });
});
