import { describe, expect, test } from 'vitest';
import { type Door, type Wanted, checkDoor } from './guard.ts';

const TOKEN = 'a-token-that-is-long-enough-for-anybody';
const tcp: Door = { kind: 'tcp', host: '127.0.0.1', port: 7878, token: TOKEN };

function refusal(door: Door, headers: Record<string, string>, wanted?: Wanted): number | undefined {
  try {
    checkDoor(door, { headers }, wanted);
    return undefined;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

describe('on the local socket', () => {
  test.each([
    ['a program', { host: 'localhost' }, undefined],
    ['another host', { host: 'example.com' }, 421],
    ['no host', {}, 421],
    ['a page, which cannot come this way', { host: 'localhost', origin: 'http://localhost' }, 403],
  ])('%s', (_who, headers, expected) => {
    expect(refusal({ kind: 'socket' }, headers as Record<string, string>)).toBe(expected);
  });
});

describe('on loopback TCP', () => {
  const authorization = `Bearer ${TOKEN}`;
  test.each([
    ['a program with the token', { host: '127.0.0.1:7878', authorization }, undefined],
    [
      'the page of the API itself',
      { 'host': 'localhost:7878', 'origin': 'http://localhost:7878', 'sec-fetch-site': 'same-origin', authorization },
      undefined,
    ],
    ['no token', { host: '127.0.0.1:7878' }, 401],
    ['a wrong token', { host: '127.0.0.1:7878', authorization: 'Bearer wrong' }, 401],
    ['the token in another scheme', { host: '127.0.0.1:7878', authorization: `Basic ${TOKEN}` }, 401],
    ['a name that was made to point here', { host: 'attacker.example:7878', authorization }, 421],
    ['another port', { host: '127.0.0.1:80', authorization }, 421],
    ['a page of another origin', { host: '127.0.0.1:7878', origin: 'http://attacker.example', authorization }, 403],
    ['a page of another port here', { host: '127.0.0.1:7878', origin: 'http://127.0.0.1:8080', authorization }, 403],
    ['a page without an origin', { host: '127.0.0.1:7878', origin: 'null', authorization }, 403],
    ['a picture on a page of another site', { 'host': '127.0.0.1:7878', 'sec-fetch-site': 'cross-site', authorization }, 403],
  ])('%s', (_who, headers, expected) => {
    expect(refusal(tcp, headers as Record<string, string>)).toBe(expected);
  });

  test('IPv6 has brackets', () => {
    const door: Door = { kind: 'tcp', host: '::1', port: 1, token: TOKEN };
    expect(refusal(door, { host: '[::1]:1', authorization })).toBeUndefined();
  });
});

describe('the page, on loopback TCP', () => {
  const host = '127.0.0.1:7878';
  const elsewhere = { host, 'sec-fetch-site': 'cross-site' };
  test.each([
    ['a browser, without the token', { host, 'sec-fetch-site': 'none' }, undefined],
    ['what the page loads of itself', { 'host': 'localhost:7878', 'sec-fetch-site': 'same-origin' }, undefined],
    ['a link that is followed from another site', { ...elsewhere, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, undefined],
    [
      'a link on a page of another port here',
      { host, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      undefined,
    ],
    ['a frame on another site', { ...elsewhere, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 403],
    ['a script on another site', { ...elsewhere, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 403],
    ['a form that another site sends', { ...elsewhere, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'origin': 'null' }, 403],
    ['a name that was made to point here', { 'host': 'attacker.example:7878', 'sec-fetch-site': 'none' }, 421],
  ])('%s', (_who, headers, expected) => {
    expect(refusal(tcp, headers, 'page')).toBe(expected);
  });

  test('a link from another site leads to the page alone, and not to the API', () => {
    const followed = { ...elsewhere, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'authorization': `Bearer ${TOKEN}` };
    expect(refusal(tcp, followed, 'api')).toBe(403);
  });
});
