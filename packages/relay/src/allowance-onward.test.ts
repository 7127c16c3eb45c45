import type { Session } from '@matryoshka/peer';
import type { Allowance } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { fakeSession } from '../test/fake-session.ts';
import { OnwardAllowances } from './allowance-onward.ts';

function setting(
  allowance: Allowance,
  greeted = true,
): { readonly onward: OnwardAllowances; readonly session: Session; pass(ms: number): void; asks(count: number): number } {
  let nowMs = 0;
  const session = fakeSession({ greeted });
  if (session.hello !== undefined) Object.assign(session.hello, { allowance });
  const onward = new OnwardAllowances({ now: () => nowMs } as never);
  return {
    onward,
    session,
    pass: (ms) => void (nowMs += ms),
    asks: (count) => Array.from({ length: count }, () => onward.request(session)).filter((claim) => !('reason' in claim)).length,
  };
}

describe('R14 what this node asks of others', () => {
  test('stays within what they announce, with something to spare for requests that travel at different speeds', () => {
    const { asks, onward, pass, session } = setting({ requestsPerSecond: 10, burst: 20, handshakes: 0, links: 0 });
    expect([asks(100), onward.room(session)]).toEqual([20, false]);
    pass(1000);
    expect(asks(100)).toBe(9);
  });

  test('links and waiting requests, too', () => {
    const { asks, onward, session } = setting({ requestsPerSecond: 0, burst: 0, handshakes: 2, links: 3 });
    const [first] = [onward.request(session), onward.request(session)];
    expect([asks(5), onward.room(session)]).toEqual([0, false]);
    if (first !== undefined && 'ended' in first) first.ended();
    expect(asks(5)).toBe(1);
  });

  test('0 is no limit, and who has said nothing yet has said nothing less', () => {
    expect(setting({ requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 }).asks(5000)).toBe(5000);
    expect(setting({ requestsPerSecond: 1, burst: 1, handshakes: 1, links: 1 }, false).asks(5000)).toBe(5000);
  });
});
