import type { Session } from '@matryoshka/peer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakePeer, fakeSession } from '../test/fake-session.ts';
import { type AllowanceSettings, Allowances, type Claim, DEFAULT_ALLOWANCE_SETTINGS } from './allowance.ts';

const KNOWN = fakePeer(1);

class Setting {
  nowMs = 0;
  readonly sessions: Session[] = [];
  readonly allowances: Allowances;

  constructor(settings: Partial<AllowanceSettings> = {}) {
    const clock = { now: () => this.nowMs } as never;
    this.allowances = new Allowances(
      { clock, sessions: () => this.sessions, isKnown: (peerId) => peerId === KNOWN },
      { ...DEFAULT_ALLOWANCE_SETTINGS, ...settings },
    );
  }

  session(options: Parameters<typeof fakeSession>[0]): Session {
    const session = fakeSession(options);
    this.sessions.push(session);
    return session;
  }

  /** How many of so many requests are within the allowance. */
  asks(session: Session, count: number): number {
    return Array.from({ length: count }, () => this.allowances.request(session)).filter(isClaim).length;
  }
}

function isClaim(claim: ReturnType<Allowances['request']>): claim is Claim {
  return !('reason' in claim);
}

describe('R14 what a neighbour may ask', () => {
  test('unknown ones 10 in 10 s, all of one source network together, whether they say who they are or not', () => {
    const it = new Setting();
    const [a, b, other] = ['203.0.113.1:1', '203.0.113.99:2', '203.0.112.1:3'].map((remote, i) =>
      it.session({ remote, ...(i > 0 && { peerId: fakePeer(10 + i) }) }),
    ) as [Session, Session, Session];
    expect([it.asks(a, 6), it.asks(b, 100), it.asks(other, 100)]).toEqual([6, 4, 10]);
    expect(it.allowances.request(b)).toEqual({ reason: 'relay-requests', retryAfterMs: 1000 });
    it.nowMs = 10_000;
    expect([it.asks(a, 100), it.asks(b, 100)]).toEqual([10, 0]);
  });

  test('known ones 1,000 in a second, each, wherever they are', () => {
    const it = new Setting();
    const known = it.session({ peerId: KNOWN, remote: '203.0.113.1:1' });
    const unknown = it.session({ remote: '203.0.113.2:1' });
    expect(it.asks(unknown, 100)).toBe(10);
    // No more wait for their answers at once than may.
    let taken = 0;
    for (let i = 0; i < 2000; i++) {
      const claim = it.allowances.request(known);
      if (isClaim(claim)) {
        claim.answered();
        taken++;
      }
    }
    expect(taken).toBe(1000);
  });

  test('is what it is told', () => {
    const it = new Setting();
    expect(it.allowances.of(it.session({ peerId: KNOWN }))).toBe(DEFAULT_ALLOWANCE_SETTINGS.known);
    expect(it.allowances.of(it.session({}))).toBe(DEFAULT_ALLOWANCE_SETTINGS.unknown);
    expect(it.allowances.of(it.session({ carriers: ['x'] }))).toBe(DEFAULT_ALLOWANCE_SETTINGS.relayed);
  });

  test('a session over a relay link has its own, and counts in those of all that carry it', () => {
    const it = new Setting({ unknown: { requestsPerSecond: 1, burst: 25, handshakes: 0, links: 0 } });
    const carrier = it.session({ id: 'c', remote: '203.0.113.1:1' });
    const [x, y, inner] = [['c'], ['c'], ['x', 'c']].map((carriers, i) => it.session({ id: ['x', 'y', 'z'][i] as string, carriers })) as [
      Session,
      Session,
      Session,
    ];
    expect([it.asks(x, 20), it.asks(y, 20)]).toEqual([10, 10]);
    // What is behind x uses up its own and x's and the carrier's: x has nothing left.
    expect(it.asks(inner, 20)).toBe(0);
    expect(it.asks(carrier, 20)).toBe(5);
  });

  test('links and waiting requests have bounds; what ends makes room, once', () => {
    const it = new Setting({ unknown: { requestsPerSecond: 0, burst: 0, handshakes: 2, links: 3 } });
    const session = it.session({});
    const claims = [it.allowances.request(session), it.allowances.request(session)].filter(isClaim);
    expect(it.allowances.request(session)).toEqual({ reason: 'relay-handshakes', retryAfterMs: 1000 });
    claims[0]?.answered();
    claims[0]?.answered();
    expect(it.asks(session, 5)).toBe(1);
    claims[1]?.answered();
    expect(it.allowances.request(session)).toEqual({ reason: 'relay-links', retryAfterMs: 1000 });
    for (const claim of claims) claim.ended();
    for (const claim of claims) claim.ended();
    expect(it.asks(session, 5)).toBe(1);
  });

  test('what is refused uses up nothing', () => {
    const it = new Setting({ relayed: { requestsPerSecond: 0, burst: 0, handshakes: 1, links: 1 } });
    const carrier = it.session({ id: 'c' });
    const full = it.session({ id: 'x', carriers: ['c'] });
    expect(it.asks(full, 50)).toBe(1);
    expect(it.asks(carrier, 50)).toBe(9);
  });

  test('may change at any time', () => {
    const it = new Setting();
    const session = it.session({});
    expect(it.asks(session, 20)).toBe(10);
    it.allowances.update({ ...DEFAULT_ALLOWANCE_SETTINGS, unknown: { requestsPerSecond: 100, burst: 30, handshakes: 0, links: 0 } });
    expect(it.asks(session, 50)).toBe(20);
  });

  test('accounts take bounded room, and nobody gets a new one by making many', () => {
    const it = new Setting();
    const busy = it.session({ remote: '203.0.113.1:1' });
    expect(it.asks(busy, 20)).toBe(10);
    for (let i = 0; i < 20_000; i++) it.asks(fakeSession({ remote: `10.${i >> 8}.${i & 255}.1:1` }), 1);
    // It has links open, so it is remembered.
    expect(it.asks(busy, 20)).toBe(0);
  });

  test('never more than rate, burst and bounds allow, whatever comes when', () => {
    const steps = fc.array(fc.record({ gapMs: fc.nat(2000), answer: fc.boolean(), end: fc.boolean(), who: fc.nat(1) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const it = new Setting({ unknown: { requestsPerSecond: 1, burst: 5, handshakes: 3, links: 6 } });
        const sessions = ['203.0.113.1:1', '203.0.113.2:1'].map((remote) => it.session({ remote }));
        const open: { claim: Claim; waiting: boolean }[] = [];
        let taken = 0;
        for (const { gapMs, answer, end, who } of all) {
          it.nowMs += gapMs;
          const claim = it.allowances.request(sessions[who] as Session);
          if (isClaim(claim)) {
            open.push({ claim, waiting: true });
            taken++;
          }
          expect(taken).toBeLessThanOrEqual(5 + it.nowMs / 1000 + 1e-6);
          expect(open.length).toBeLessThanOrEqual(6);
          expect(open.filter(({ waiting }) => waiting).length).toBeLessThanOrEqual(3);
          const oldest = open[0];
          if (answer && oldest !== undefined) {
            oldest.claim.answered();
            oldest.waiting = false;
          }
          if (end) open.shift()?.claim.ended();
        }
      }),
    );
  });
});
