import { describe, expect, test } from 'vitest';
import { fakePeer, fakeSession } from '../test/fake-session.ts';
import { creditAccount } from './credit-account.ts';

describe('who pays for a window', () => {
  test('the peer, whichever of its sessions the request came on', () => {
    const sessions = [fakeSession({ peerId: fakePeer(1) }), fakeSession({ peerId: fakePeer(1) }), fakeSession({ peerId: fakePeer(2) })];
    const accounts = sessions.map((session) => creditAccount(session, sessions));
    expect(accounts[0]).toBe(accounts[1]);
    expect(accounts[0]).not.toBe(accounts[2]);
  });

  test('for an anonymous session whoever carries it, at any depth', () => {
    const carrier = fakeSession({ id: 'c', peerId: fakePeer(1) });
    const inner = fakeSession({ id: 'i', carriers: ['c'] });
    const innermost = fakeSession({ carriers: ['i', 'c'] });
    const sessions = [carrier, inner, innermost];
    expect(sessions.map((session) => creditAccount(session, sessions))).toEqual([fakePeer(1), fakePeer(1), fakePeer(1)]);
    expect(creditAccount(inner, [])).toBe('c');
  });

  test('an anonymous direct session for itself', () => {
    expect(creditAccount(fakeSession({ id: 'x' }), [])).toBe('x');
  });
});
