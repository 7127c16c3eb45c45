import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, formatMs, plural } from './format.ts';
import { Names, shortId } from './names.ts';

describe('quantities', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.00 kB'],
    [12_345, '12.3 kB'],
    [999_600, '1.00 MB'],
    [123_456_789, '123 MB'],
    [-5, '0 B'],
  ])('%d bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [undefined, '–'],
    [0.84, '0.8 ms'],
    [43.7, '44 ms'],
    [1_240, '1.2 s'],
  ])('%s ms', (milliseconds, text) => {
    expect(formatMs(milliseconds)).toBe(text);
  });

  test.each([
    [0, '0 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ])('%d ms last', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test('one and many', () => {
    expect([plural(1, 'peer'), plural(1_000, 'peer'), plural(0, 'entry', 'entries')]).toEqual(['1 peer', '1,000 peers', '0 entries']);
  });
});

describe('names', () => {
  test('an id is shown by both of its ends', () => {
    expect(shortId('mtk1qwertyuiopasdfghjkl')).toBe('qwer…hjkl');
    expect(shortId('short')).toBe('short');
  });

  test('a demo has names, and so has this node', () => {
    const names = new Names({ relays: [], names: { mtk1bbbbbbbbbbbb: 'B' } }, 'mtk1me');
    expect([names.of('mtk1bbbbbbbbbbbb'), names.of('mtk1me'), names.of('mtk1cccccccccccc')]).toEqual(['B', 'you', 'cccc…cccc']);
  });
});
