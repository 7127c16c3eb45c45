import type { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { LinkEnd } from './link-end.ts';
import { portHalves } from './port-table.ts';
import { MAX_RESTING_PORTS, MAX_STRAY_PORTS, SessionLinks } from './session-links.ts';

const end = {} as LinkEnd;
const GRACE_MS = 30_000;

const rest = (links: SessionLinks, port: bigint, now: number): void => links.rest(port, now, now + GRACE_MS);
const stray = (links: SessionLinks, port: bigint, now: number): boolean => links.stray(port, now, now + GRACE_MS);

describe('the links of a session', () => {
  test('R14 a closed port is not used again within its grace period', () => {
    const links = new SessionLinks();
    links.add(5n, end);
    expect(links.end(...halves(5n))).toBe(end);
    expect(links.size).toBe(1);
    rest(links, 5n, 1000);
    expect(links.end(...halves(5n))).toBeUndefined();
    expect(links.size).toBe(0);
    expect(links.taken(5n, 30_999)).toBe(true);
    expect(links.taken(5n, 31_000)).toBe(false);
    expect(links.taken(6n, 1000)).toBe(false);
  });

  test('R14 late messages for a port that rests are let go; an unknown port is told once', () => {
    const links = new SessionLinks();
    rest(links, 5n, 0);
    expect(stray(links, 5n, 100)).toBe(false);
    expect(stray(links, 6n, 100)).toBe(true);
    expect(stray(links, 6n, 200)).toBe(false);
    expect(stray(links, 6n, 31_000)).toBe(true);
  });

  test('a port that rests again rests from then on', () => {
    const links = new SessionLinks();
    rest(links, 1n, 0);
    rest(links, 2n, 10_000);
    rest(links, 1n, 20_000);
    rest(links, 3n, 45_000);
    expect(links.taken(1n, 45_000)).toBe(true);
    expect(links.taken(2n, 45_000)).toBe(false);
  });

  test('resting ports are bounded: the oldest are forgotten, and closing a link never fails', () => {
    const links = new SessionLinks();
    for (let port = 1n; port <= BigInt(MAX_RESTING_PORTS) + 1n; port++) rest(links, port, 0);
    expect(links.taken(1n, 1)).toBe(false);
    expect(links.taken(2n, 1)).toBe(true);
    expect(links.taken(BigInt(MAX_RESTING_PORTS) + 1n, 1)).toBe(true);
  });

  test('who goes on with unknown ports breaks the rules', () => {
    const links = new SessionLinks();
    for (let port = 1n; port <= BigInt(MAX_STRAY_PORTS); port++) stray(links, port, 0);
    expect(() => stray(links, 1_000_000n, 1)).toThrow(
      expect.objectContaining({ code: 'relay.unknown-port' } satisfies Partial<MatryoshkaError>),
    );
    expect(stray(links, 2_000_000n, GRACE_MS + 1)).toBe(true);
  });
});

function halves(port: bigint): [number, number] {
  const { high, low } = portHalves(port);
  return [high, low];
}
