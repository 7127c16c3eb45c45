import { peerHash } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { type FakeSession, endpoint, fakePeer, fakeSession } from '../test/fake-session.ts';
import { Exclusion, type Known, Neighbours, carriersAmong, isShared, wouldLoop } from './neighbours.ts';
import type { RelayHost } from './relay-host.ts';

const BITS = { ipv4Bits: 16, ipv6Bits: 48 };
const known = (peer: number | undefined, ...endpoints: string[]): Known => ({
  ...(peer !== undefined && { peerId: fakePeer(peer) }),
  endpoints: endpoints.map(endpoint),
});

function neighbours(sessions: readonly FakeSession[], more: Partial<RelayHost> = {}): Neighbours {
  return new Neighbours({
    sessions: () => sessions,
    endpointsOf: () => [],
    peerId: fakePeer(0),
    ownEndpoints: () => [],
    ...more,
  } as unknown as RelayHost);
}

const hosts = ({ endpoints }: Known): string[] => endpoints.map(({ host }) => host);

describe('the sessions that carry one', () => {
  const [a, b, c] = [fakeSession({ id: 'a' }), fakeSession({ id: 'b' }), fakeSession({ id: 'c' })];

  test('are found by their ids, and the search ends with the last of them', () => {
    let looked = 0;
    function* sessions(): Generator<FakeSession> {
      for (const session of [a, b, c]) {
        looked++;
        yield session;
      }
    }
    expect(carriersAmong(sessions(), fakeSession({ carriers: ['b', 'a'] }))).toEqual([a, b]);
    expect(looked).toBe(2);
    expect(carriersAmong(sessions(), fakeSession({ carriers: ['c', 'gone'] }))).toEqual([c]);
  });

  test('are none of a direct one', () => {
    expect(carriersAmong([a, b, c], a)).toEqual([]);
  });
});

describe('R4 exclusion', () => {
  test('goes by network', () => {
    const exclusion = new Exclusion([known(undefined, '66.171.45.90:1')], BITS);
    expect(exclusion.excludes(known(undefined, '66.171.0.1:2'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '66.172.45.90:1'))).toBe(false);
  });

  test('goes by identity, wherever the peer is', () => {
    const exclusion = new Exclusion([known(7)], BITS);
    expect(exclusion.excludes(known(7, '9.9.9.9:1'))).toBe(true);
    expect(exclusion.excludes(known(8, '9.9.9.9:1'))).toBe(false);
  });

  test('two without identity are not the same for that', () => {
    expect(new Exclusion([known(undefined, '1.1.1.1:1')], BITS).excludes(known(undefined, '2.2.2.2:1'))).toBe(false);
  });

  test('goes by every endpoint of both', () => {
    const exclusion = new Exclusion([known(1, '1.1.1.1:1', '2.2.2.2:1')], BITS);
    expect(exclusion.excludes(known(2, '3.3.3.3:1', '2.2.9.9:7'))).toBe(true);
  });

  test('sees through IPv4 addresses in IPv6 ones', () => {
    const exclusion = new Exclusion([known(undefined, '66.171.45.90:1')], BITS);
    expect(exclusion.excludes(known(undefined, '[::ffff:66.171.1.1]:1'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '[64:ff9b::42ab:101]:1'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '[2002:42ab:101::1]:1'))).toBe(true);
  });

  test('0 bits make a whole family one network, and the other family is not touched', () => {
    const exclusion = new Exclusion([known(undefined, '66.171.45.90:1')], { ipv4Bits: 0, ipv6Bits: 48 });
    expect(exclusion.excludes(known(undefined, '9.9.9.9:1'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '[2606:4700::1]:1'))).toBe(false);
  });

  test('all bits exclude the address alone', () => {
    const exclusion = new Exclusion([known(undefined, '66.171.45.90:1')], { ipv4Bits: 32, ipv6Bits: 128 });
    expect(exclusion.excludes(known(undefined, '66.171.45.90:2'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '66.171.45.91:1'))).toBe(false);
  });

  test('48 leading bits of IPv6', () => {
    const exclusion = new Exclusion([known(undefined, '[2606:4700:1:2::1]:1')], BITS);
    expect(exclusion.excludes(known(undefined, '[2606:4700:1:ffff::9]:1'))).toBe(true);
    expect(exclusion.excludes(known(undefined, '[2606:4700:2::1]:1'))).toBe(false);
  });
});

describe('what is known of a neighbour', () => {
  test('who may be left out: by its link, what was dialled, what it announces, and what was configured', () => {
    const session = fakeSession({ peerId: fakePeer(1), remote: '1.1.1.1:50000', dialled: '2.2.2.2:999', listening: ['3.3.3.3:999'] });
    const all = neighbours([session], { endpointsOf: (peerId) => (peerId === fakePeer(1) ? [endpoint('4.4.4.4:999')] : []) });
    expect(new Set(hosts(all.peer(fakePeer(1), [session])))).toEqual(new Set(['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']));
  });

  test('around whom others are left out: by the same without what it announces', () => {
    const session = fakeSession({ peerId: fakePeer(1), remote: '1.1.1.1:50000', dialled: '2.2.2.2:999', listening: ['3.3.3.3:999'] });
    const all = neighbours([session], { endpointsOf: (peerId) => (peerId === fakePeer(1) ? [endpoint('4.4.4.4:999')] : []) });
    const seen = new Set(['1.1.1.1', '2.2.2.2', '4.4.4.4']);
    expect(new Set(all.previous(session).flatMap(hosts))).toEqual(seen);
    expect(new Set(all.destination({ peer: peerHash(fakePeer(1)) }).flatMap(hosts))).toEqual(seen);
  });

  test('a previous hop by its other sessions, too', () => {
    const here = fakeSession({ peerId: fakePeer(1), remote: '1.1.1.1:1' });
    const there = fakeSession({ peerId: fakePeer(1), remote: '2.2.2.2:1' });
    const all = neighbours([here, there, fakeSession({ remote: '3.3.3.3:1' })]);
    expect(new Set(all.previous(here).flatMap(hosts))).toEqual(new Set(['1.1.1.1', '2.2.2.2']));
  });

  test('one that is itself relayed, by where those are that carry it', () => {
    const outer = fakeSession({ id: 'outer', peerId: fakePeer(1), remote: '1.1.1.1:1', listening: ['4.4.4.4:999'] });
    const inner = fakeSession({ id: 'inner', peerId: fakePeer(3), remote: '3.3.3.3:1', carriers: ['outer'] });
    const relayed = fakeSession({ peerId: fakePeer(2), remote: '2.2.2.2:1', carriers: ['inner', 'outer'] });
    const all = neighbours([outer, inner, relayed]);
    expect(new Set(hosts(all.carriersOf(relayed)))).toEqual(new Set(['1.1.1.1', '3.3.3.3', '4.4.4.4']));
    expect(new Set(all.previous(relayed).flatMap(hosts))).toEqual(new Set(['1.1.1.1', '2.2.2.2', '3.3.3.3']));
    expect(hosts(all.carriersOf(outer))).toEqual([]);
  });

  test('an accepted relayed session does not tell where its other side is', () => {
    const relay = fakeSession({ id: 'relay', peerId: fakePeer(1), remote: '1.1.1.1:1' });
    const relayed = fakeSession({ peerId: fakePeer(2), remote: '1.1.1.1:1', carriers: ['relay'], role: 'responder' });
    const all = neighbours([relay, relayed]);
    expect(hosts(all.peer(fakePeer(2), [relayed]))).toEqual([]);
    expect(all.previous(relayed).map(hosts)).toEqual([[], ['1.1.1.1']]);
  });

  test('of a destination named by its peer id, where it is connected from; of a peer at a relay, that relay', () => {
    const session = fakeSession({ peerId: fakePeer(3), remote: '5.5.5.5:1' });
    const relay = fakeSession({ peerId: fakePeer(4), remote: '7.7.7.7:1' });
    const all = neighbours([session, relay]);
    const [peer, at] = [peerHash(fakePeer(3)), endpoint('6.6.6.6:1')];
    expect(all.destination({ endpoint: at })).toEqual([{ endpoints: [at] }]);
    expect(all.destination({ peer })).toEqual([{ endpoints: [] }, { peerId: fakePeer(3), endpoints: [session.link.remote] }]);
    expect(all.destination({ endpoint: at, peer, relay: peerHash(fakePeer(4)) })).toEqual([
      { endpoints: [at] },
      { peerId: fakePeer(3), endpoints: [session.link.remote] },
      { peerId: fakePeer(4), endpoints: [relay.link.remote] },
    ]);
  });
});

describe('sessions', () => {
  test('no session carries itself, at any depth', () => {
    const outer = fakeSession({ id: 'outer' });
    const inner = fakeSession({ id: 'inner', carriers: ['middle', 'outer'] });
    expect(wouldLoop(outer, outer)).toBe(true);
    expect(wouldLoop(inner, outer)).toBe(true);
    expect(wouldLoop(outer, inner)).toBe(false);
  });

  test('one on which this node is anonymous, or that is over, is not shared', () => {
    expect(isShared(fakeSession())).toBe(true);
    expect(isShared(fakeSession({ anonymous: true }))).toBe(false);
    expect(isShared(fakeSession({ sending: false }))).toBe(false);
  });
});
