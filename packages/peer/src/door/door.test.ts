import { type RemoteIdentity, peerIdFromHash } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { HANDSHAKE_REQUEST_LENGTH, SELECTOR_LENGTH, Writer, encodeSelector } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type DoorRules, RuledDoor } from './door.ts';

const peer = (number: number): RemoteIdentity =>
  ({ authenticated: true, peerId: peerIdFromHash(new Uint8Array(32).fill(number)) }) as unknown as RemoteIdentity;
const id = (number: number): DoorRules['denyPeers'][number] => peerIdFromHash(new Uint8Array(32).fill(number));
const NOBODY: RemoteIdentity = { authenticated: false };
const DIRECT = { info: { kind: 'direct', carriers: [] } } as unknown as Link;
const RELAYED = { info: { kind: 'relayed', carriers: ['s1'] } } as unknown as Link;
const RULES: DoorRules = { hidden: false, acceptAnonymous: true, allowPeers: undefined, denyPeers: [] };

function request(pattern: 'XX' | 'NK'): Uint8Array {
  const first = new Uint8Array(HANDSHAKE_REQUEST_LENGTH);
  encodeSelector(new Writer(first.subarray(0, SELECTOR_LENGTH)), { suite: 'chacha20poly1305', pattern });
  return first;
}

describe('a door', () => {
  test('lets everybody in by default', () => {
    const door = new RuledDoor(RULES);
    expect([door.knock(DIRECT, request('XX')), door.enter(peer(1), DIRECT), door.enter(NOBODY, DIRECT)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('goes by lists of peers, denying first, over every kind of link; anonymous ones have a rule of their own', () => {
    const refused: string[] = [];
    const door = new RuledDoor({ ...RULES, allowPeers: [id(1), id(2)], denyPeers: [id(2)], acceptAnonymous: false }, (reason) =>
      refused.push(reason),
    );
    const codes = [peer(1), peer(2), peer(3), NOBODY].map((remote) => door.enter(remote, RELAYED)?.code);
    expect(codes).toEqual([undefined, 'session.refused', 'session.refused', 'session.anonymous-refused']);
    expect(refused).toEqual(['peer-denied', 'peer-not-allowed', 'anonymous']);
    door.update(RULES);
    expect([peer(2), peer(3), NOBODY].map((remote) => door.admits(remote))).toEqual([true, true, true]);
  });

  test('an empty list of allowed peers allows none', () => {
    expect(new RuledDoor({ ...RULES, allowPeers: [] }).admits(peer(1))).toBe(false);
  });

  test('hidden, hears on listening transports only what is made to its static key', () => {
    const refused: string[] = [];
    const door = new RuledDoor({ ...RULES, hidden: true }, (reason) => refused.push(reason));
    expect(door.knock(DIRECT, request('NK'))).toBeUndefined();
    const later = request('NK');
    later[0] = 2;
    for (const first of [request('XX'), later, new Uint8Array(HANDSHAKE_REQUEST_LENGTH), Uint8Array.of(1)])
      expect(door.knock(DIRECT, first)).toMatchObject({ code: 'session.refused' });
    expect(refused).toEqual(['hidden', 'hidden', 'hidden', 'hidden']);
    // Who comes through a relay link always gets an answer (principle 5).
    expect(door.knock(RELAYED, request('XX'))).toBeUndefined();
  });

  test('who lost its reputation is not let in as a neighbour; through a relay link it may come', () => {
    const door = new RuledDoor(RULES, undefined, (peerId) => peerId === id(1));
    expect(door.enter(peer(1), DIRECT)).toMatchObject({ code: 'session.refused' });
    expect([door.enter(peer(2), DIRECT), door.enter(peer(1), RELAYED)]).toEqual([undefined, undefined]);
  });
});
