import { createWorld } from '@matryoshka/simulation';
import type { Clock, Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { type MockInstance, describe, expect, test, vi } from 'vitest';
import { TestNode } from '../test/pair.ts';
import { DEFAULT_RESUME_SETTINGS } from './resume-settings.ts';
import type { LinkAttempt } from './resumption.ts';
import type { ResumeParts, Session } from './session.ts';
import { SessionTable } from './session-table.ts';
import { Suspension } from './suspension.ts';

const { graceMs, stallMs } = DEFAULT_RESUME_SETTINGS;
const REASON = new MatryoshkaError('session.link-lost', 'the cable is cut');

interface SetUp {
  readonly suspension: Suspension;
  readonly session: { suspended: boolean; readonly abandonedWith: MatryoshkaError[] };
  readonly parts: ResumeParts;
  readonly attempts: LinkAttempt[];
  readonly table: SessionTable;
  readonly after: MockInstance<Clock['after']>;
  advance(ms: number): Promise<void>;
  /** Virtual time that passes until nothing is left to happen. */
  rest(): Promise<number>;
}

function setUp(role: 'initiator' | 'responder', kind: 'direct' | 'relayed' = 'relayed'): SetUp {
  const { clock, ...world } = createWorld({ seed: 1 });
  const after = vi.spyOn<Clock, 'after'>(clock, 'after');
  const environment = new TestNode({ clock, ...world }, 1);
  const abandonedWith: MatryoshkaError[] = [];
  const session = {
    id: 's1',
    suspended: false,
    remote: { authenticated: false },
    link: { info: { kind, nesting: 0, carriers: [] }, remote: { transport: 'tcp', host: '203.0.113.2', port: 999 } },
    abandoned: (reason: MatryoshkaError) => void abandonedWith.push(reason),
    abandonedWith,
  };
  const attempts: LinkAttempt[] = [];
  const table = new SessionTable(DEFAULT_RESUME_SETTINGS);
  const next = (attempt: LinkAttempt): Promise<Link> => {
    attempts.push(attempt);
    return Promise.reject(new MatryoshkaError('transport.dial-failed', 'nobody is there'));
  };
  const parts: ResumeParts = {
    sessionId: new Uint8Array(16).fill(1),
    secret: new Uint8Array(32).fill(2),
    ...(role === 'initiator' ? { path: { source: { next }, handshake: {}, timeoutMs: 1000 } } : { table }),
  };
  return {
    suspension: new Suspension(environment, DEFAULT_RESUME_SETTINGS, session as unknown as Session, parts),
    session,
    parts,
    attempts,
    table,
    after,
    advance: (ms) => clock.advance(ms),
    rest: async () => {
      const from = clock.now();
      await clock.run();
      return clock.now() - from;
    },
  };
}

describe('a suspension', () => {
  test('of an initiator looks for the next link until it ends; what it waits for is bounded', async () => {
    const { suspension, session, attempts, advance, rest } = setUp('initiator');
    session.suspended = true;
    suspension.begin(REASON);
    await advance(graceMs - 1);
    expect([attempts.length > 5, attempts[0]?.reason, attempts[0]?.session, session.abandonedWith]).toEqual([true, REASON, 's1', []]);
    await advance(1);
    expect(session.abandonedWith).toMatchObject([
      {
        code: 'session.link-lost',
        message: 'the cable is cut; the last attempt to resume it: nobody is there',
        cause: { code: 'transport.dial-failed' },
      },
    ]);
    suspension.over(REASON);
    expect(await rest()).toBe(0);
  });

  test.each([
    ['initiator', true],
    ['responder', false],
  ] as const)('of an %s keeps the process alive: %s', (role, keepsAlive) => {
    const { suspension, session, after } = setUp(role);
    session.suspended = true;
    suspension.begin(REASON);
    expect(after).toHaveBeenCalledWith(graceMs, expect.any(Function), { keepsAlive });
    suspension.over(REASON);
  });

  test('of a responder is found by its initiator, and ends with the reason alone', async () => {
    const { suspension, session, parts, table, attempts, advance, rest } = setUp('responder');
    expect([table.find(parts.sessionId), table.suspended]).toEqual([session, 0]);
    session.suspended = true;
    suspension.begin(REASON);
    expect(table.suspended).toBe(1);
    suspension.end();
    expect(table.suspended).toBe(0);
    // The grace period of another time is over with it.
    await advance(graceMs + 1);
    expect(session.abandonedWith).toEqual([]);
    suspension.begin(REASON);
    await advance(graceMs);
    expect([session.abandonedWith, attempts]).toMatchObject([
      [{ code: 'session.link-lost', message: 'the cable is cut', cause: REASON }],
      [],
    ]);
    suspension.over(REASON);
    expect([table.find(parts.sessionId), table.ended(parts.sessionId), table.suspended, await rest()]).toEqual([
      undefined,
      'session.link-lost',
      0,
      0,
    ]);
  });

  test('does not look for a link where whoever heard of it has ended the session', async () => {
    const { suspension, attempts, rest } = setUp('initiator');
    suspension.begin(REASON);
    suspension.over(REASON);
    await rest();
    expect(attempts).toEqual([]);
  });

  test('begins again with another link lost: its time counts from then', async () => {
    const { suspension, session, advance } = setUp('responder');
    session.suspended = true;
    suspension.begin(REASON);
    await advance(graceMs - 1);
    suspension.begin(new MatryoshkaError('session.path-stalled'));
    await advance(graceMs - 1);
    expect(session.abandonedWith).toEqual([]);
    await advance(1);
    expect(session.abandonedWith).toMatchObject([{ code: 'session.path-stalled' }]);
  });

  test.each([
    ['an initiator over a relayed link looks for another one after a while', 'initiator', 'relayed', true],
    ['an initiator over a direct link does not', 'initiator', 'direct', false],
    ['a responder does not', 'responder', 'relayed', false],
  ] as const)('stalled: %s', async (_what, role, kind, looks) => {
    const { suspension, session, attempts, advance, rest } = setUp(role, kind);
    suspension.stalled();
    await advance(stallMs - 1);
    expect(attempts).toEqual([]);
    await advance(100);
    expect(attempts.length > 0).toBe(looks);
    if (looks) expect(attempts[0]).toMatchObject({ reason: { code: 'session.link-lost' }, session: 's1' });
    suspension.flowing();
    const before = attempts.length;
    expect([await rest(), attempts.length, session.abandonedWith]).toEqual([0, before, []]);
    // Where nothing ever flows, it is given up in the end.
    suspension.stalled();
    await advance(2 * graceMs);
    expect(session.abandonedWith).toMatchObject([{ code: 'session.path-stalled' }]);
  });

  test('stalled, and not for long: nobody looks for anything', async () => {
    const { suspension, attempts, advance, rest } = setUp('initiator');
    suspension.stalled();
    await advance(stallMs - 1);
    suspension.flowing();
    expect([await rest(), attempts]).toEqual([0, []]);
  });

  test('takes handshakes in the order in which they began: what comes late is refused', () => {
    const { suspension } = setUp('responder');
    const late = expect.objectContaining({ code: 'session.resume-failed' }) as Error;
    suspension.supersede(7);
    expect(() => suspension.supersede(6)).toThrow(late);
    suspension.supersede(9);
    expect(() => suspension.supersede(7)).toThrow(late);
    suspension.supersede(10);
  });

  test('proves and verifies with the secret, and overwrites it in the end', () => {
    const { suspension, parts } = setUp('responder');
    const claim = { role: 'initiator', handshakeHash: new Uint8Array(32), sessionId: parts.sessionId, delivered: 3 } as const;
    const proof = suspension.prove(claim);
    suspension.verify(claim, proof);
    expect(() => suspension.verify({ ...claim, delivered: 4 }, proof)).toThrow(
      expect.objectContaining({ code: 'session.resume-failed' }) as Error,
    );
    suspension.over(REASON);
    expect(parts.secret).toEqual(new Uint8Array(32));
    expect(() => suspension.verify(claim, proof)).toThrow(expect.objectContaining({ code: 'session.resume-failed' }) as Error);
  });

  test('of an initiator overwrites it, too', () => {
    const { suspension, parts } = setUp('initiator');
    suspension.over(REASON);
    expect(parts.secret).toEqual(new Uint8Array(32));
  });
});
