import { createWorld } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { TestNode } from '../test/pair.ts';
import { type LinkAttempt, type LinkSource, Resumption, type ResumptionHost } from './resumption.ts';

// What an attempt does is in ../test/resume-attempts.test.ts; here is when there is one.

const REASON = new MatryoshkaError('session.link-lost');
const GRACE_MS = 30_000;

interface SetUp {
  readonly resumption: Resumption;
  readonly attempts: { readonly atMs: number; readonly attempt: LinkAttempt; readonly signal: AbortSignal }[];
  readonly abandonedWith: MatryoshkaError[];
  readonly secret: Uint8Array;
  advance(ms: number): Promise<void>;
  rest(): Promise<number>;
}

function setUp(next: LinkSource['next'], timeoutMs = 60_000): SetUp {
  const world = createWorld({ seed: 1 });
  const attempts: SetUp['attempts'] = [];
  const abandonedWith: MatryoshkaError[] = [];
  const host: ResumptionHost = {
    id: 's1',
    unheard: false,
    firstRecordLength: () => 40,
    traffic: { askedFor: 0 },
    commit: () => undefined,
    resumed: () => {},
    abandoned: (reason) => void abandonedWith.push(reason),
  };
  const secret = new Uint8Array(32).fill(2);
  const source: LinkSource = {
    next: (attempt, signal) => {
      attempts.push({ atMs: world.clock.now(), attempt, signal });
      return next(attempt, signal);
    },
  };
  const keys = { sessionId: new Uint8Array(16), secret };
  return {
    resumption: new Resumption(new TestNode(world, 1), host, keys, { source, handshake: {}, timeoutMs }, GRACE_MS),
    attempts,
    abandonedWith,
    secret,
    advance: (ms) => world.clock.advance(ms),
    rest: async () => {
      const from = world.clock.now();
      await world.clock.run();
      return world.clock.now() - from;
    },
  };
}

const fails = (): Promise<Link> => Promise.reject(new MatryoshkaError('transport.dial-failed'));
const hangs = (): Promise<Link> => new Promise(() => {});

describe('a resumption', () => {
  test('starts once, however often it is told to, and each attempt has a handshake of its own', async () => {
    const { resumption, attempts, advance } = setUp(fails);
    resumption.start(REASON);
    resumption.start(new MatryoshkaError('session.path-stalled'));
    await advance(1000);
    expect(attempts.length).toBeGreaterThan(2);
    expect(new Set(attempts.map(({ attempt }) => attempt.reason))).toEqual(new Set([REASON]));
    expect(new Set(attempts.map(({ attempt }) => Buffer.from(attempt.first).toString('hex'))).size).toBe(attempts.length);
    expect(resumption.lastError).toMatchObject({ code: 'transport.dial-failed' });
    resumption.stop();
  });

  test.each([
    ['in a pause', fails, 25],
    ['in a dial', hangs, 25],
  ] as const)('stops at once %s, and leaves nothing behind', async (_when, next, afterMs) => {
    const { resumption, attempts, advance, rest } = setUp(next);
    resumption.start(REASON);
    await advance(afterMs);
    resumption.stop();
    resumption.stop();
    const before = attempts.length;
    expect([before > 0, await rest(), attempts.length]).toEqual([true, 0, before]);
    expect(attempts.at(-1)?.signal.aborted).toBe(next === hangs);
    // And starts anew, from the shortest pause.
    resumption.start(REASON);
    await advance(20);
    expect(attempts.length).toBe(before + 1);
    resumption.stop();
    expect(await rest()).toBe(0);
  });

  test.each([
    ['as long as a connection may', 3000, 3000],
    ['a sixth of the grace period at most: a path that does not answer leaves time for others', 60_000, GRACE_MS / 6],
  ] as const)('lets an attempt take %s', async (_what, timeoutMs, limitMs) => {
    const { resumption, attempts, advance } = setUp(hangs, timeoutMs);
    resumption.start(REASON);
    await advance(20);
    const { atMs, signal } = attempts[0] as SetUp['attempts'][number];
    await advance(atMs + limitMs - 20 - 0.5);
    expect(signal.aborted).toBe(false);
    await advance(1);
    expect([signal.aborted, signal.reason]).toMatchObject([true, { code: 'session.timeout' }]);
    await advance(100);
    expect(attempts).toHaveLength(2);
    resumption.stop();
  });

  test('gives up where there never is another link', async () => {
    const never = new MatryoshkaError('session.link-lost', 'the hop before is gone');
    const { resumption, attempts, abandonedWith, rest } = setUp(() => Promise.reject(never));
    resumption.start(REASON);
    await rest();
    expect([attempts.length, abandonedWith]).toEqual([1, [never]]);
  });

  test('forgets its secret in the end', async () => {
    const { resumption, secret, rest } = setUp(fails);
    resumption.start(REASON);
    resumption.end();
    expect([secret, await rest()]).toEqual([new Uint8Array(32), 0]);
  });
});
