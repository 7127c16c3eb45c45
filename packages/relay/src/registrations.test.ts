import type { PeerId } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { type FakeSession, fakePeer, fakeSession } from '../test/fake-session.ts';
import { Registrations } from './registrations.ts';

const TAKEN = { type: 'relay-register', status: 'taken' };
const refused = (reason: string, retryAfterMs = 0): object => ({ type: 'relay-register', status: 'refused', reason, retryAfterMs });

class SetUp {
  forwards = true;
  mistrustedMs = 0;
  readonly known = new Set<PeerId>();
  readonly registrations: Registrations;

  constructor(maxRegistrations = 100, maxRegistrationsPerNetwork = 2) {
    const host = {
      forwards: () => this.forwards,
      isKnown: (peerId: PeerId) => this.known.has(peerId),
      refusesForMs: () => this.mistrustedMs,
    };
    this.registrations = new Registrations(host, { maxRegistrations, maxRegistrationsPerNetwork });
  }

  /** Who asks, and the last that it hears. */
  ask(session: FakeSession): unknown {
    this.registrations.asked(session);
    return session.sent.at(-1);
  }
}

let number = 1;
const peerAt = (remote: string): FakeSession => fakeSession({ peerId: fakePeer(number++), remote });

describe('R9 registrations at a relay', () => {
  test('are taken of peers that show who they are, once, and end with withdrawal or session', () => {
    const at = new SetUp();
    const [one, other] = [peerAt('203.0.113.1:1'), peerAt('198.51.100.1:1')];
    expect([at.ask(one), at.ask(one), at.ask(other)]).toEqual([TAKEN, TAKEN, TAKEN]);
    expect(at.registrations.peers.length).toBe(2);
    at.registrations.forget(one);
    at.registrations.forget(one);
    expect([at.registrations.has(one), at.registrations.has(other), at.registrations.peers.length]).toEqual([false, true, 1]);
  });

  test('are refused, typed: switched off, without an identity, out of reputation', () => {
    const at = new SetUp();
    at.forwards = false;
    expect(at.ask(peerAt('203.0.113.1:1'))).toEqual(refused('relay.disabled'));
    at.forwards = true;
    expect(at.ask(fakeSession())).toEqual(refused('session.anonymous-refused'));
    at.mistrustedMs = 1234;
    expect(at.ask(peerAt('203.0.113.1:1'))).toEqual(refused('relay.rate-limited', 1234));
    expect(at.registrations.peers).toEqual([]);
  });

  test('have a bound: who comes later is told when to come again', () => {
    const at = new SetUp(2);
    const [one, other, third] = [peerAt('203.0.113.1:1'), peerAt('198.51.100.1:1'), peerAt('192.0.2.1:1')];
    expect([at.ask(one), at.ask(other), at.ask(third)]).toEqual([TAKEN, TAKEN, refused('relay.busy', 60_000)]);
    at.registrations.forget(one);
    expect(at.ask(third)).toEqual(TAKEN);
  });

  test('have one for each source network: who fills it keeps out nobody but its neighbours', () => {
    const at = new SetUp();
    const crowd = [1, 2, 3].map((i) => peerAt(`203.0.113.${i}:1`));
    expect(crowd.map((each) => at.ask(each))).toEqual([TAKEN, TAKEN, refused('relay.busy', 60_000)]);
    expect(at.ask(peerAt('198.51.100.1:1'))).toEqual(TAKEN);
    // A peer known beforehand has its place wherever it is.
    const known = peerAt('203.0.113.9:1');
    at.known.add(fakePeer(number - 1));
    expect(at.ask(known)).toEqual(TAKEN);
    at.registrations.forget(known);
    at.registrations.forget(crowd[0] as FakeSession);
    expect(at.ask(crowd[2] as FakeSession)).toEqual(TAKEN);
    // Of those that come through one carrier, that carrier is all that is known.
    const carried = [1, 2, 3].map(() => fakeSession({ peerId: fakePeer(number++), carriers: ['inner', 'outer'] }));
    expect(carried.map((each) => at.ask(each))).toEqual([TAKEN, TAKEN, refused('relay.busy', 60_000)]);
  });

  test('end when relaying is switched off, and their peers hear of it', () => {
    const at = new SetUp();
    const one = peerAt('203.0.113.1:1');
    at.ask(one);
    at.registrations.shut('relay.disabled');
    expect([one.sent.at(-1), at.registrations.peers]).toEqual([refused('relay.disabled'), []]);
  });
});
