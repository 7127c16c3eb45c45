import { describe, expect, test } from 'vitest';
import { type FakeSessionOptions, fakePeer, fakeSession } from '../test/fake-session.ts';
import { DEFAULT_REPUTATION_SETTINGS, Reputations } from './reputation.ts';

const PEER = fakePeer(1);
const MINUTE_MS = 60_000;

function setting(): { readonly reputations: Reputations; pass(ms: number): void } {
  let nowMs = 0;
  return {
    reputations: new Reputations({ now: () => nowMs } as never, DEFAULT_REPUTATION_SETTINGS),
    pass: (ms) => void (nowMs += ms),
  };
}

const direct = (options: FakeSessionOptions = {}): ReturnType<typeof fakeSession> => fakeSession({ peerId: PEER, ...options });

describe('reputation', () => {
  test('what a direct neighbour does costs it, and comes back with time', () => {
    const { reputations, pass } = setting();
    const session = direct();
    expect([reputations.of(session), reputations.peers]).toEqual([100, []]);
    reputations.did(session, 'malformed');
    expect([reputations.of(session), reputations.peers]).toEqual([60, [{ peerId: PEER, score: 60 }]]);
    pass(2 * MINUTE_MS);
    expect(reputations.of(session)).toBe(80);
    pass(3 * MINUTE_MS);
    expect([reputations.of(session), reputations.peers]).toEqual([100, []]);
  });

  test('below one threshold its requests are refused for so long, below the other its sessions are', () => {
    const { reputations, pass } = setting();
    const session = direct();
    expect(reputations.did(session, 'malformed')).toBe(false);
    expect([reputations.refusesForMs(session), reputations.mistrusts(PEER)]).toEqual([0, false]);
    expect(reputations.did(session, 'malformed')).toBe(false);
    expect([reputations.refusesForMs(session), reputations.mistrusts(PEER)]).toEqual([3 * MINUTE_MS, false]);
    expect(reputations.did(session, 'malformed')).toBe(true);
    expect([reputations.refusesForMs(session), reputations.mistrusts(PEER)]).toEqual([5 * MINUTE_MS, true]);
    pass(MINUTE_MS);
    expect(reputations.mistrusts(PEER)).toBe(false);
    pass(4 * MINUTE_MS);
    expect(reputations.refusesForMs(session)).toBe(0);
  });

  test('is of the peer, not of one of its sessions; of who shows no identity only the session is known', () => {
    const { reputations } = setting();
    reputations.did(direct(), 'malformed');
    expect(reputations.of(direct({ remote: '192.0.2.1:1' }))).toBe(60);
    const [one, another] = [fakeSession(), fakeSession()];
    reputations.did(one, 'malformed');
    expect([reputations.of(one), reputations.of(another)]).toEqual([60, 100]);
  });

  test('what came over a relay link costs nobody anything: neither its sender nor those who carry it', () => {
    const { reputations } = setting();
    const carrier = direct({ id: 'c' });
    for (let i = 0; i < 10; i++) expect(reputations.did(direct({ carriers: ['c'] }), 'malformed')).toBe(false);
    expect([reputations.of(carrier), reputations.peers]).toEqual([100, []]);
  });

  test('refusals cost nothing by themselves; going on and on after them does', () => {
    const { reputations, pass } = setting();
    const session = direct();
    for (let i = 0; i < 32; i++) expect(reputations.refused(session)).toBe(false);
    expect(reputations.of(session)).toBe(100);
    let refused = 0;
    while (!reputations.refused(session)) refused++;
    expect(refused).toBe(45);
    // Who waits loses nothing.
    const patient = direct({ peerId: fakePeer(2) });
    for (let i = 0; i < 500; i++) {
      reputations.refused(patient);
      pass(1000);
    }
    expect(reputations.of(patient)).toBe(100);
  });

  test('takes bounded room: above it the one whose deed is oldest is forgotten', () => {
    const { reputations } = setting();
    for (let i = 0; i < 5000; i++) reputations.did(direct({ peerId: fakePeer(i) }), 'unknown-port');
    expect(reputations.peers).toHaveLength(4096);
    expect([reputations.of(direct({ peerId: fakePeer(0) })), reputations.of(direct({ peerId: fakePeer(4999) }))]).toEqual([100, 99]);
  });

  test('goes by the settings there are now', () => {
    const { reputations } = setting();
    reputations.did(direct(), 'malformed');
    reputations.update({ recoverPerMinute: 1, refuseBelow: 70, closeBelow: 65 });
    expect([reputations.refusesForMs(direct()), reputations.mistrusts(PEER)]).toEqual([10 * MINUTE_MS, true]);
  });
});
