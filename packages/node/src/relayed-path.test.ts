import type { LinkAttempt, Session } from '@matryoshka/peer';
import type { PeerId } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, type ReasonCode } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { RelayedPath } from './relayed-path.ts';

type Gateway = Session & { sending: boolean; stalled: boolean };

const gatewayOf = (name: string): Gateway =>
  ({ remote: { authenticated: true, peerId: name }, sending: true, stalled: false }) as unknown as Gateway;

/** A path whose first relays are B, C and D, the first one that is not to be avoided. */
function setUp(avoid: readonly string[] = []): {
  readonly path: RelayedPath;
  readonly gateways: readonly Gateway[];
  /** Whom it opened links through. */
  readonly asked: (string | undefined)[];
  readonly clock: { nowMs: number };
  next(reason?: ReasonCode | MatryoshkaError): Promise<unknown>;
} {
  const gateways = ['B', 'C', 'D'].map(gatewayOf);
  const asked: string[] = [];
  const clock = { nowMs: 0 };
  const nameOf = ({ remote }: Session): PeerId => (remote as { peerId: PeerId }).peerId;
  const path = new RelayedPath({
    clock: { now: () => clock.nowMs } as never,
    hops: 3,
    named: false,
    avoid: avoid as readonly PeerId[],
    gateway: (_hops, avoided) => {
      const usable = gateways.filter(({ sending, stalled }) => sending && !stalled);
      return Promise.resolve((usable.find((each) => !avoided.has(nameOf(each))) ?? usable[0]) as Session);
    },
    open: (gateway) => {
      asked.push(nameOf(gateway));
      return Promise.resolve({} as Link);
    },
  });
  const next = (reason?: ReasonCode | MatryoshkaError): Promise<unknown> => {
    const why = typeof reason === 'string' ? new MatryoshkaError(reason) : reason;
    return path.next({ reason: why, first: new Uint8Array(0), session: why && 's1' } satisfies LinkAttempt, new AbortController().signal);
  };
  return { path, gateways, asked, clock, next };
}

describe('R13 the first relay of a path', () => {
  test('stays while it is good', async () => {
    const { path, asked, next } = setUp();
    await next();
    path.settled();
    for (const reason of ['relay.carrier-lost', 'session.link-lost', 'relay.disabled'] satisfies ReasonCode[]) {
      await next(reason);
      path.changed();
    }
    expect(asked).toEqual(['B', 'B', 'B', 'B']);
  });

  test.each(['sending', 'stalled'] as const)('is another one where it is gone (%s)', async (state) => {
    const { path, gateways, asked, next } = setUp();
    await next();
    path.settled();
    (gateways[0] as Gateway)[state] = state === 'stalled';
    await next('relay.carrier-lost');
    expect(asked).toEqual(['B', 'C']);
  });

  test.each(['session.record-failed', 'session.path-stalled'] as const)('is another one after %s, for ten minutes', async (reason) => {
    const { path, asked, clock, next } = setUp();
    await next();
    path.settled();
    await next(reason);
    path.changed();
    await next('relay.carrier-lost');
    path.changed();
    await next(reason);
    path.changed();
    await next(reason);
    path.changed();
    // None is left: one of them is better than nothing.
    expect(asked).toEqual(['B', 'C', 'C', 'D', 'B']);
    clock.nowMs = 600_001;
    await next('relay.carrier-lost');
    expect(asked.at(-1)).toBe('B');
  });

  test('is another one where the other side has found out, and closed the link for it', async () => {
    const { asked, path, next } = setUp();
    await next();
    path.settled();
    await next(new MatryoshkaError('session.link-lost', undefined, { cause: new MatryoshkaError('session.record-failed') }));
    expect(asked).toEqual(['B', 'C']);
  });

  test('is another one where an attempt came to nothing, and the same again for the next break', async () => {
    const { path, asked, next } = setUp();
    await next();
    path.settled();
    const lost = new MatryoshkaError('relay.carrier-lost');
    await next(lost);
    await next(lost);
    path.changed();
    await next('relay.carrier-lost');
    expect(asked).toEqual(['B', 'B', 'C', 'C']);
    // The old link came back meanwhile: nobody failed.
    await next('session.link-lost');
    expect(asked.at(-1)).toBe('C');
  });

  test('can be avoided from the beginning', async () => {
    const { asked, next } = setUp(['B']);
    await next();
    expect(asked).toEqual(['C']);
  });
});

describe('R13 a path that changes again and again', () => {
  test('changes three times in ten minutes at once, then slowly', async () => {
    const { path, clock, next } = setUp();
    await next();
    path.settled();
    const pauses: number[] = [];
    for (let i = 0; i < 4; i++) {
      clock.nowMs += 1000;
      pauses.push(path.pauseMs);
      await next('relay.carrier-lost');
      path.changed();
    }
    expect(pauses).toEqual([0, 0, 0, 1000]);
    // Each attempt that comes to nothing doubles it.
    const lost = new MatryoshkaError('relay.carrier-lost');
    const further: number[] = [];
    for (let i = 0; i < 5; i++) {
      await next(lost);
      further.push(path.pauseMs);
    }
    expect(further).toEqual([2000, 4000, 8000, 8000, 8000]);
    clock.nowMs += 600_000;
    expect(path.pauseMs).toBe(0);
  });
});
