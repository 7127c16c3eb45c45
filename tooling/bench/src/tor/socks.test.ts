import { expect, test } from 'vitest';
import { encodeRequest } from './socks.ts';

test('a request names an IPv4 address and a port', () => {
  expect([...encodeRequest('127.55.0.1', 0x1234)]).toEqual([5, 1, 0, 1, 127, 55, 0, 1, 0x12, 0x34]);
  expect(() => encodeRequest('localhost', 1)).toThrow(RangeError);
});
