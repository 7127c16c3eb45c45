import { peerIdFromHash } from '@matryoshka/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Invite, encodeInvite, parseInvite } from './invite.ts';
import { reachableAt } from './reachable-at.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const endpoint = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`),
  fc.integer({ min: 1, max: 65_535 }).map((port) => `[2001:db8::1]:${port}`),
  fc.constant('ws://home.example.org:9700'),
);
const invites: fc.Arbitrary<Invite> = fc.record(
  {
    peerId: bytes(32).map((hash) => peerIdFromHash(hash)),
    endpoints: fc.array(endpoint, { minLength: 1, maxLength: 8 }),
    networkKey: fc.uint8Array({ minLength: 16, maxLength: 64 }),
    staticKey: bytes(32),
  },
  { requiredKeys: ['peerId', 'endpoints'] },
);
const one = encodeInvite({
  peerId: peerIdFromHash(new Uint8Array(32).fill(1)),
  endpoints: ['192.0.2.1:9700'],
  networkKey: new Uint8Array(32),
});

describe('an invite', () => {
  test('is one line that is read back as it was', () => {
    fc.assert(
      fc.property(invites, (invite) => {
        const line = encodeInvite(invite);
        expect(line).toMatch(/^matryoshka-invite-[\w-]+$/);
        expect(parseInvite(` ${line}\n`)).toEqual(invite);
      }),
      { numRuns: 50 },
    );
  });

  test('with a character changed, missing or too many is none', () => {
    for (let at = 'matryoshka-invite-'.length; at < one.length; at++) {
      const other = one[at] === 'A' ? 'B' : 'A';
      expect(() => parseInvite(one.slice(0, at) + other + one.slice(at + 1)), `character ${at}`).toThrow(
        'a part of it is missing or was changed',
      );
    }
    expect(() => parseInvite(one.slice(0, -1))).toThrow('missing');
    expect(() => parseInvite(`${one}x`)).toThrow('missing');
    expect(() => parseInvite('hello')).toThrow('it must begin with matryoshka-invite-');
  });

  test('any text is refused with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(() => parseInvite(`matryoshka-invite-${Buffer.from(body).toString('base64url')}`)).toThrow('this is no invite');
      }),
      { numRuns: 50 },
    );
  });
});

test('where others reach a node that listens everywhere: at the addresses of its machine', () => {
  const own = ['198.51.100.7', '2001:db8::7'];
  expect(reachableAt(['0.0.0.0:9700', '192.0.2.1:5'], own)).toEqual(['198.51.100.7:9700', '192.0.2.1:5']);
  expect(reachableAt(['[::]:9700'], own)).toEqual(['198.51.100.7:9700', '[2001:db8::7]:9700']);
  expect(reachableAt([], own)).toEqual([]);
});
