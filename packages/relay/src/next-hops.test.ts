import { type PeerId, peerHash } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type MatryoshkaError, type RelayDestination, parseEndpoint } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FakeSession, type FakeSessionOptions, endpoint, fakePeer, fakeSession } from '../test/fake-session.ts';
import { Neighbours } from './neighbours.ts';
import { NextHops } from './next-hops.ts';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
import type { RelayHost } from './relay-host.ts';
import type { Candidate, Party } from './routing-policy.ts';

const NO_PEERS = expect.objectContaining({ code: 'relay.no-peers-available' } satisfies Partial<MatryoshkaError>);

interface Setting {
  readonly sessions: readonly FakeSession[];
  readonly seed?: number;
  readonly own?: readonly string[];
  readonly options?: Partial<RelayOptions>;
  readonly free?: (session: FakeSession) => boolean;
  readonly room?: (session: FakeSession) => boolean;
  readonly tags?: (peerId: PeerId) => readonly string[];
  readonly onPolicyFailed?: (error: MatryoshkaError) => void;
}

function nextHops({
  sessions,
  seed = 1,
  own = [],
  options = {},
  free = () => true,
  room = () => true,
  tags,
  onPolicyFailed,
}: Setting): NextHops {
  const host = {
    clock: { now: () => 0 },
    random: seededRandom(seed),
    peerId: fakePeer(0),
    sessions: () => sessions,
    ownEndpoints: () => own.map(endpoint),
    endpointsOf: () => [],
    tagsOf: tags,
    onPolicyFailed,
  } as unknown as RelayHost;
  return new NextHops(
    host,
    new Neighbours(host),
    { ...DEFAULT_RELAY_OPTIONS, ...options },
    { count: () => 0, free: (session) => free(session as FakeSession), room: (session) => room(session as FakeSession) },
  );
}

const DESTINATION: RelayDestination = { endpoint: endpoint('180.30.30.20:999') };
let number = 100;
const neighbour = (options: FakeSessionOptions): FakeSession => fakeSession({ peerId: fakePeer(number++), ...options });

function ask(setting: Setting, previous: FakeSession, destination = DESTINATION, tried: readonly FakeSession[] = []): FakeSession {
  return nextHops(setting).next({ previous, destination, port: 1n, hopsLeft: 2, tried: new Set(tried) }) as FakeSession;
}

describe('R5 the seed’s example', () => {
  // B 201.1.157.11 has a request from A 66.171.45.90 to 180.30.30.20, with 16 bits.
  const own = ['201.1.157.11:999'];
  const a = neighbour({ remote: '66.171.45.90:40000' });
  const near = ['201.1.0.1', '201.1.255.254', '66.171.0.9', '66.171.200.1', '180.30.1.1', '180.30.30.21'].map((host) =>
    neighbour({ remote: `${host}:999` }),
  );
  const far = ['201.2.157.11', '66.172.45.90', '180.31.30.20', '8.8.8.8'].map((host) => neighbour({ remote: `${host}:999` }));

  test('nothing in those three networks is ever chosen, and everything else is', () => {
    const chosen = new Set<FakeSession>();
    for (let seed = 0; seed < 500; seed++) chosen.add(ask({ sessions: [a, ...near, ...far], seed, own }, a));
    expect(chosen).toEqual(new Set(far));
  });

  test('with connections in those networks only, there is no next hop', () => {
    for (let seed = 0; seed < 100; seed++) expect(() => ask({ sessions: [a, ...near], seed, own }, a)).toThrow(NO_PEERS);
  });

  test('property: whatever the addresses, the chosen one shares its first 16 bits with none of the three', () => {
    const octets = fc.tuple(fc.constantFrom(201, 66, 180, 9), fc.constantFrom(1, 171, 30, 31), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(fc.array(octets, { minLength: 1, maxLength: 12 }), fc.nat(), (addresses, seed) => {
        const candidates = addresses.map((address) => neighbour({ remote: `${address.join('.')}:999` }));
        const forbidden = ['201.1.', '66.171.', '180.30.'];
        const allowed = candidates.filter(({ link }) => !forbidden.some((prefix) => link.remote.host.startsWith(prefix)));
        if (allowed.length === 0) expect(() => ask({ sessions: candidates, seed, own }, a)).toThrow(NO_PEERS);
        else expect(allowed).toContain(ask({ sessions: candidates, seed, own }, a));
      }),
    );
  });
});

describe('R4 candidates', () => {
  const previous = neighbour({ remote: '1.1.1.1:1' });

  test('the previous hop is none, on whichever of its sessions and addresses', () => {
    const other = fakeSession({ peerId: (previous.remote as { peerId: ReturnType<typeof fakePeer> }).peerId, remote: '9.9.9.9:1' });
    expect(() => ask({ sessions: [previous, other] }, previous)).toThrow(NO_PEERS);
  });

  test('with exactly the previous hop connected there is no next one', () => {
    expect(() => ask({ sessions: [previous] }, previous)).toThrow(NO_PEERS);
  });

  test('the destination is none, by identity, by endpoint, and by where it is connected from', () => {
    const destination = neighbour({ remote: '9.9.9.9:1' });
    const peer = peerHash((destination.remote as { peerId: ReturnType<typeof fakePeer> }).peerId);
    const beside = neighbour({ remote: '9.9.200.1:1' });
    expect(() => ask({ sessions: [previous, destination, beside] }, previous, { peer })).toThrow(NO_PEERS);
    const dialled = neighbour({ remote: '7.7.7.7:4000', listening: ['180.30.30.20:999'] });
    expect(() => ask({ sessions: [previous, dialled] }, previous)).toThrow(NO_PEERS);
  });

  test('whatever the previous hop or the destination claim, nobody else is left out for it', () => {
    const claims = ['5.5.5.5', '6.6.6.6', '7.7.7.7'].map((host) => `${host}:999`);
    const honest = neighbour({ remote: '5.5.1.1:1' });
    const claiming = neighbour({ remote: '1.1.1.1:1', listening: claims });
    expect(ask({ sessions: [claiming, honest] }, claiming)).toBe(honest);
    const destination = neighbour({ remote: '9.9.9.9:1', listening: claims });
    const peer = peerHash((destination.remote as { peerId: ReturnType<typeof fakePeer> }).peerId);
    expect(ask({ sessions: [previous, destination, honest] }, previous, { peer })).toBe(honest);
    // What a candidate claims counts against it.
    const near = neighbour({ remote: '8.8.8.8:1', listening: ['1.1.200.1:999'] });
    expect(() => ask({ sessions: [previous, near] }, previous)).toThrow(NO_PEERS);
  });

  test('this node itself is none', () => {
    expect(() => ask({ sessions: [previous, neighbour({ remote: '5.5.1.1:1' })], own: ['5.5.9.9:999'] }, previous)).toThrow(NO_PEERS);
  });

  test.each<[string, FakeSessionOptions]>([
    ['does not announce relaying', { relaying: false }],
    ['has not said hello yet', { greeted: false }],
    ['is closed', { sending: false }],
    ['was made anonymously, for a circuit', { anonymous: true }],
    ['is carried by the requesting session', { carriers: [previous.id] }],
    ['is nested as deep as can be', { carriers: Array.from({ length: 15 }, (_, i) => `x${i}`) }],
  ])('one that %s is none', (_name, options) => {
    expect(() => ask({ sessions: [previous, neighbour({ remote: '5.5.5.5:1', ...options })] }, previous)).toThrow(NO_PEERS);
  });

  test('one without identity is none, direct or relayed', () => {
    expect(() =>
      ask({ sessions: [previous, fakeSession({ remote: '5.5.5.5:1' }), fakeSession({ remote: '6.6.6.6:1', carriers: ['x'] })] }, previous),
    ).toThrow(NO_PEERS);
  });

  test('one that is itself relayed is judged by its carrier, too', () => {
    const carrier = fakeSession({ id: 'near', remote: '180.30.1.1:1' });
    const relayed = neighbour({ remote: '5.5.5.5:1', carriers: ['near'] });
    expect(() => ask({ sessions: [previous, carrier, relayed] }, previous)).toThrow(NO_PEERS);
    // A direct session to the same peer is judged by itself.
    const direct = fakeSession({ peerId: (relayed.remote as { peerId: ReturnType<typeof fakePeer> }).peerId, remote: '5.5.5.5:2' });
    expect(ask({ sessions: [previous, carrier, relayed, direct] }, previous)).toBe(direct);
    const elsewhere = neighbour({ remote: '6.6.6.6:1', carriers: ['far'] });
    expect(ask({ sessions: [previous, elsewhere] }, previous)).toBe(elsewhere);
  });

  test('where the previous hop is relayed, those that carry it are none', () => {
    const carrier = neighbour({ id: 'carrier', remote: '5.5.1.1:1' });
    const behind = fakeSession({ remote: '5.5.1.1:1', carriers: ['carrier'], role: 'responder' });
    expect(() => ask({ sessions: [carrier, behind] }, behind)).toThrow(NO_PEERS);
    const other = neighbour({ remote: '6.6.6.6:1' });
    expect(ask({ sessions: [carrier, behind, other] }, behind)).toBe(other);
  });

  test('one where the port is in use, or that was asked already, is none', () => {
    const session = neighbour({ remote: '5.5.5.5:1' });
    expect(() => ask({ sessions: [previous, session], free: (each) => each !== session }, previous)).toThrow(NO_PEERS);
    expect(() => ask({ sessions: [previous, session] }, previous, DESTINATION, [session])).toThrow(NO_PEERS);
  });

  test('a peer with many sessions is no more likely than others, and is asked on a direct one', () => {
    const many = fakePeer(50);
    const direct = fakeSession({ peerId: many, remote: '5.5.5.5:1' });
    const sessions = [
      previous,
      direct,
      neighbour({ remote: '6.6.6.6:1' }),
      ...Array.from({ length: 30 }, () => fakeSession({ peerId: many, remote: '5.5.5.5:2', carriers: ['x'] })),
    ];
    const counts = new Map<FakeSession, number>();
    for (let seed = 0; seed < 400; seed++) {
      const chosen = ask({ sessions, seed }, previous);
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    expect(counts.size).toBe(2);
    expect(counts.get(direct)).toBeGreaterThan(150);
    expect(counts.get(direct)).toBeLessThan(250);
  });
});

describe('R18 the first relay', () => {
  test('is a random connection outside this node’s and the destination’s networks', () => {
    const good = [neighbour({ remote: '5.5.5.5:1' }), neighbour({ remote: '6.6.6.6:1' })];
    const sessions = [neighbour({ remote: '180.30.1.1:1' }), neighbour({ remote: '4.4.1.1:1' }), ...good];
    const chosen = new Set<unknown>();
    for (let seed = 0; seed < 100; seed++) chosen.add(nextHops({ sessions, seed, own: ['4.4.4.4:999'] }).gateway(DESTINATION, 3));
    expect(chosen).toEqual(new Set(good));
    expect(() => nextHops({ sessions: sessions.slice(0, 2), own: ['4.4.4.4:999'] }).gateway(DESTINATION, 3)).toThrow(NO_PEERS);
  });

  test('a peer that is not connected is judged by the same rules', () => {
    const hops = nextHops({ sessions: [], own: ['4.4.4.4:999'] });
    const at = (host: string, peer = 60): boolean =>
      hops.mayBeGateway(
        { peerId: fakePeer(peer), endpoints: [parseEndpoint(`${host}:999`)] },
        { ...DESTINATION, peer: peerHash(fakePeer(61)) },
      );
    expect(at('5.5.5.5')).toBe(true);
    expect(at('180.30.9.9')).toBe(false);
    expect(at('4.4.1.1')).toBe(false);
    expect(at('5.5.5.5', 61)).toBe(false);
  });
});

describe('a routing policy', () => {
  const previous = neighbour({ remote: '1.1.1.1:1' });
  const first = neighbour({ remote: '5.5.5.5:1', roundTripMs: 12, bytesPerSecond: 3000 });
  const second = neighbour({ remote: '6.6.6.6:1', listening: ['7.7.7.7:999', '7.7.1.1:999'] });
  const near = neighbour({ remote: '180.30.0.1:1' });
  const sessions = [previous, first, second, near];
  const policy = (selectNextHop: RelayOptions['policy']['selectNextHop']): Partial<RelayOptions> => ({ policy: { selectNextHop } });

  test('sees the candidates that are left, and its choice counts', () => {
    let seen: readonly Candidate[] = [];
    const options = policy(({ role, hopsLeft }, candidates) => {
      expect({ role, hopsLeft }).toEqual({ role: 'next-hop', hopsLeft: 1 });
      seen = candidates;
      return candidates.find(({ endpoint: { host } }) => host === '6.6.6.6');
    });
    expect(ask({ sessions, options }, previous)).toBe(second);
    expect(seen).toEqual([
      {
        peerId: (first.remote as { peerId: string }).peerId,
        endpoint: endpoint('5.5.5.5:1'),
        networks: ['5.5.0.0/16'],
        tags: [],
        links: 0,
        roundTripMs: 12,
        bytesPerSecond: 3000,
        ageMs: 0,
        excluded: false,
      },
      expect.objectContaining({ networks: ['6.6.0.0/16', '7.7.0.0/16'], excluded: false }),
    ]);
    expect(() => ask({ sessions, options: policy(() => undefined) }, previous)).toThrow(NO_PEERS);
  });

  test('is told around whom it chooses: this node, the previous hop, the destination, with their tags', () => {
    let around: readonly Party[] = [];
    const options = policy((request, [candidate]) => {
      around = request.around;
      return candidate;
    });
    ask({ sessions, own: ['4.4.4.4:999'], options, tags: (peerId) => (peerId === fakePeer(0) ? ['mine'] : []) }, previous);
    expect(around).toEqual([
      { peerId: fakePeer(0), networks: ['4.4.0.0/16'], tags: ['mine'] },
      expect.objectContaining({ networks: ['1.1.0.0/16'] }),
      expect.objectContaining({ peerId: undefined, networks: [] }),
      { peerId: undefined, networks: ['180.30.0.0/16'], tags: [] },
    ]);
  });

  test('is not asked where nobody is left, nor twice', () => {
    let asked = 0;
    const options = policy((_request, [candidate]) => {
      asked++;
      return candidate;
    });
    expect(() => ask({ sessions: [previous], options }, previous)).toThrow(NO_PEERS);
    expect(() => ask({ sessions, options, room: () => false }, previous)).toThrow(expect.objectContaining({ code: 'relay.busy' }));
    expect(asked).toBe(0);
    ask({ sessions, options }, previous);
    expect(asked).toBe(1);
  });

  test.each<[string, RelayOptions['policy']['selectNextHop']]>([
    ['throws', () => expect.fail('no idea')],
    ['returns a copy of a candidate', (_request, [candidate]) => ({ ...(candidate as Candidate) })],
    ['returns somebody whom it was not offered', () => ({ peerId: fakePeer(1) }) as Candidate],
  ])('that %s: others hear that no peer is available, this node why', (_what, select) => {
    const failures: MatryoshkaError[] = [];
    const setting = { sessions, options: policy(select), onPolicyFailed: (error: MatryoshkaError) => failures.push(error) };
    expect(() => ask(setting, previous)).toThrow(NO_PEERS);
    expect(failures.map(({ code }) => code)).toEqual(['relay.policy-failed']);
    // For one's own relay link it is one's own affair.
    expect(() => nextHops(setting).gateway(DESTINATION, 3)).toThrow(expect.objectContaining({ code: 'relay.policy-failed' }));
    expect(failures).toHaveLength(1);
  });

  test('may be offered those who are excluded by network, and by nothing else', () => {
    let offered: (readonly [string, boolean])[] = [];
    const options: Partial<RelayOptions> = {
      dangerouslyOfferExcluded: true,
      ...policy((_request, candidates) => {
        offered = candidates.map(({ endpoint: { host }, excluded }) => [host, excluded] as const);
        return candidates[0];
      }),
    };
    const destination = { ...DESTINATION, peer: peerHash((near.remote as { peerId: ReturnType<typeof fakePeer> }).peerId) };
    const beside = neighbour({ remote: '1.1.2.2:1' });
    const loop = neighbour({ remote: '8.8.8.8:1', carriers: [previous.id] });
    const all = [...sessions, beside, loop, neighbour({ remote: '9.9.9.9:1', relaying: false })];
    ask({ sessions: all, options }, previous);
    expect(offered).toEqual([
      ['5.5.5.5', false],
      ['6.6.6.6', false],
      ['180.30.0.1', true],
      ['1.1.2.2', true],
    ]);
    ask({ sessions: all, options }, previous, destination);
    expect(offered.map(([host]) => host)).toEqual(['5.5.5.5', '6.6.6.6', '1.1.2.2']);
  });
});
