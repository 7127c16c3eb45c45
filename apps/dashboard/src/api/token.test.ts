import { describe, expect, test } from 'vitest';
import { pastedToken, splitToken } from './token.ts';

describe('the token in the address', () => {
  test.each([
    ['#token=abc', 'abc', ''],
    ['#token=abc&view=events', 'abc', 'view=events'],
    ['#view=events', undefined, 'view=events'],
    ['#token=', undefined, ''],
    ['', undefined, ''],
  ])('%j', (fragment, token, rest) => {
    expect(splitToken(fragment)).toEqual({ token, rest });
  });
});

describe('what was pasted', () => {
  test.each([
    ['http://127.0.0.1:7878/#token=abc', 'abc'],
    ['  abc\n', 'abc'],
    ['http://127.0.0.1:7878/#view=map', undefined],
    ['  ', undefined],
  ])('%j', (text, token) => {
    expect(pastedToken(text)).toBe(token);
  });
});
