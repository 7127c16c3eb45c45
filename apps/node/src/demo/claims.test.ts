import { describe, expect, test } from 'vitest';
import { relayedClaims, telescopedClaims } from './claims.ts';
import type { Forwarded, Knowledge, KnowledgeOfAll, KnownPeer } from './knowledge.ts';

// What the claims are made of, as honest nodes would tell it; then one thing too many at a time.

const HOSTS: Readonly<Record<string, string>> = { A: '127.11.0.1', B: '127.22.0.1', C: '127.33.0.1', D: '127.44.0.1', E: '127.55.0.1' };
const at = (name: string, relayPort?: string): string => `${HOSTS[name]}:9${relayPort === undefined ? '' : `:${relayPort}`}`;
const peer = (name: string): KnownPeer => ({ peerId: `id-${name}`, endpoint: at(name) });
const behind = (name: string, relayPort: string): KnownPeer => ({ peerId: null, endpoint: at(name, relayPort) });
const link = (relayPort: string, previousHop: KnownPeer, next: string, hopsLeft: number, destination: string): Forwarded => ({
  relayPort,
  previousHop,
  nextHop: peer(next),
  hopsLeft,
  destination: `id-${destination}@${at(destination)}`,
  bytesForward: 1,
  bytesBackward: 1,
});
const node = (name: string, role: Knowledge['role'], more: Partial<Knowledge> = {}): Knowledge => ({
  role,
  peerId: `id-${name}`,
  listening: [at(name)],
  neighbours: [],
  forwards: [],
  accepted: [],
  sessions: [],
  ...more,
});
const session = (remote: string, name: string | null): Knowledge['sessions'][number] => ({
  role: 'responder',
  remote,
  peerId: name && `id-${name}`,
  authenticated: name !== null,
});

const relayed: KnowledgeOfAll = {
  A: node('A', 'originator', { neighbours: [peer('B')] }),
  B: node('B', 'relay', { neighbours: [peer('A'), peer('C')], forwards: [link('7', peer('A'), 'C', 2, 'D')] }),
  C: node('C', 'relay', { neighbours: [peer('B'), peer('D')], forwards: [link('7', peer('B'), 'D', 1, 'D')] }),
  D: node('D', 'destination', {
    neighbours: [peer('C')],
    accepted: [{ previousHop: peer('C'), relayPort: '7' }],
    sessions: [session(at('C', '7'), 'A')],
  }),
};
const telescoped: KnowledgeOfAll = {
  A: node('A', 'originator', { neighbours: [peer('B')] }),
  B: node('B', 'relay', { neighbours: [peer('A'), peer('C')], forwards: [link('1', peer('A'), 'C', 1, 'C')] }),
  C: node('C', 'relay', {
    neighbours: [peer('B'), peer('D')],
    sessions: [session(at('B', '1'), null)],
    forwards: [link('2', behind('B', '1'), 'D', 1, 'D')],
  }),
  D: node('D', 'relay', {
    neighbours: [peer('C'), peer('E')],
    sessions: [session(at('C', '2'), null)],
    forwards: [link('3', behind('C', '2'), 'E', 1, 'E')],
  }),
  E: node('E', 'destination', { neighbours: [peer('D')], sessions: [session(at('D', '3'), null)] }),
};

const broken = (knowledge: KnowledgeOfAll, name: string, more: Partial<Knowledge>): KnowledgeOfAll => ({
  ...knowledge,
  [name]: { ...(knowledge[name] as Knowledge), ...more },
});
const relayedHold = (knowledge: KnowledgeOfAll): boolean => relayedClaims(knowledge, 'A', ['B', 'C', 'D']).every(({ holds }) => holds);
const telescopedHold = (knowledge: KnowledgeOfAll, nesting = 3): boolean =>
  telescopedClaims(knowledge, 'A', ['B', 'C', 'D', 'E'], nesting).every(({ holds }) => holds);

describe('the notes on relayed connections', () => {
  test('hold for what honest nodes tell', () => {
    expect(relayedHold(relayed)).toBe(true);
  });

  test.each<[string, string, Partial<Knowledge>]>([
    ['the last relay is handed the originator', 'C', { forwards: [link('7', peer('A'), 'D', 1, 'D')] }],
    ['the first relay does not know the destination', 'B', { forwards: [link('7', peer('A'), 'C', 2, 'C')] }],
    ['the destination sees the address of the originator', 'D', { sessions: [session(at('A', '7'), 'A')] }],
    ['the destination does not know who it talks to', 'D', { sessions: [session(at('C', '7'), null)] }],
    ['the destination is told of the first relay', 'D', { neighbours: [peer('B')] }],
    ['a hop has another relay port', 'C', { forwards: [link('8', peer('B'), 'D', 1, 'D')] }],
    ['a relay tells of no link at all', 'B', { forwards: [] }],
  ])('do not where %s', (_what, name, more) => {
    expect(relayedHold(broken(relayed, name, more))).toBe(false);
  });
});

describe('the notes on telescoped connections', () => {
  test('hold for what honest nodes tell', () => {
    expect(telescopedHold(telescoped)).toBe(true);
  });

  test.each<[string, string, Partial<Knowledge>]>([
    ['B knows the far end', 'B', { neighbours: [peer('A'), peer('E')] }],
    ['B is asked for more than its neighbour', 'B', { forwards: [link('1', peer('A'), 'C', 1, 'E')] }],
    ['C is told who asks', 'C', { forwards: [link('2', peer('A'), 'D', 1, 'D')] }],
    ['C is connected to A besides', 'C', { neighbours: [peer('A')] }],
    ['D knows A', 'D', { sessions: [session(at('C', '2'), 'A')] }],
    ['E is shown an identity', 'E', { sessions: [session(at('D', '3'), 'A')] }],
    ['two links share a port', 'C', { forwards: [link('1', behind('B', '1'), 'D', 1, 'D')] }],
    ['a hop tells nothing', 'D', { forwards: [] }],
  ])('do not where %s', (_what, name, more) => {
    expect(telescopedHold(broken(telescoped, name, more))).toBe(false);
  });

  test('do not with fewer layers than hops', () => {
    expect(telescopedHold(telescoped, 2)).toBe(false);
  });
});
