import type { Session } from '@matryoshka/peer';
import { type Allowance, type Endpoint, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type Announced, helloOn, ownEndpoints } from './announcement.ts';

interface Options {
  readonly kind?: 'direct' | 'relayed';
  readonly anonymous?: boolean;
  readonly local?: string;
  readonly remote?: string;
  readonly observed?: string;
  readonly peerId?: string;
}

function session({
  kind = 'direct',
  anonymous = false,
  local = '10.0.0.5:40000',
  remote = '198.51.100.1:999',
  observed,
  peerId,
}: Options): Session {
  return {
    link: { local: parseEndpoint(local), remote: parseEndpoint(remote), info: { kind } },
    anonymous,
    remote: peerId === undefined ? { authenticated: false } : { authenticated: true, peerId },
    hello: observed === undefined ? undefined : { observed: parseEndpoint(observed) },
  } as unknown as Session;
}

const LISTENING: readonly Endpoint[] = ['198.51.100.9:999', '0.0.0.0:999', '[::]:999'].map(parseEndpoint);
const ALLOWANCE: Allowance = { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 };
const announced = (relaying: boolean): Announced => ({ relaying, allowance: ALLOWANCE, listening: LISTENING });
const hosts = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ host }) => host);

describe('what a node says of itself', () => {
  test('on a direct session: where it listens, and where it sees the other side', () => {
    const hello = helloOn(session({}), announced(true));
    expect(hello).toMatchObject({ relaying: true, allowance: ALLOWANCE, observed: parseEndpoint('198.51.100.1:999') });
    expect(hosts(hello.listening)).toEqual(['198.51.100.9']);
    expect(helloOn(session({}), announced(false)).relaying).toBe(false);
  });

  test('over a relay link: no place of either side', () => {
    const hello = helloOn(session({ kind: 'relayed', remote: '198.51.100.1:999:77' }), announced(true));
    expect(hello).toMatchObject({ relaying: true, listening: [] });
    expect('observed' in hello).toBe(false);
  });

  test('anonymously: nothing that it would be known by, not even whether it relays', () => {
    for (const kind of ['direct', 'relayed'] as const) {
      const hello = helloOn(session({ kind, anonymous: true }), announced(true));
      expect(hello).toMatchObject({ relaying: false, listening: [] });
      expect('observed' in hello).toBe(false);
      // What it allows others would tell it from those who allow something else.
      expect(hello.allowance).toEqual({ requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 });
    }
  });
});

describe('where a node thinks it is', () => {
  test('where it listens, and its side of direct connections', () => {
    expect(hosts(ownEndpoints([session({}), session({ kind: 'relayed', local: '10.9.9.9:1' })], LISTENING))).toEqual([
      '198.51.100.9',
      '10.0.0.5',
    ]);
  });

  test('where two peers in different networks see it; one alone, or anonymous ones, could say anything', () => {
    const seen = (...sessions: Options[]): string[] => hosts(ownEndpoints(sessions.map(session), [])).filter((host) => host !== '10.0.0.5');
    expect(seen({ peerId: 'a', observed: '203.0.113.7:1' })).toEqual([]);
    expect(seen({ peerId: 'a', observed: '203.0.113.7:1' }, { peerId: 'b', observed: '203.0.113.7:2' })).toEqual([]);
    expect(seen({ peerId: 'a', observed: '203.0.113.7:1' }, { peerId: 'b', remote: '192.0.2.1:1', observed: '203.0.113.7:2' })).toEqual([
      '203.0.113.7',
    ]);
    expect(seen({ observed: '203.0.113.7:1' }, { remote: '192.0.2.1:1', observed: '203.0.113.7:2' })).toEqual([]);
    expect(seen({ peerId: 'a', observed: '203.0.113.7:1' }, { peerId: 'b', remote: '192.0.2.1:1', observed: '203.0.113.8:2' })).toEqual([]);
  });
});
