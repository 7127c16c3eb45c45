import { MatryoshkaError, REASONS, type ReasonCode } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { reported, reportedEnd, reportedRefusal } from './reported.ts';

const codes = Object.keys(REASONS) as ReasonCode[];

describe('what a relay passes back of what others say', () => {
  test.each([
    ['relay.no-peers-available', 'relay.no-peers-available'],
    ['relay.destination-forbidden', 'relay.destination-forbidden'],
    ['relay.refused', 'relay.refused'],
    ['session.anonymous-refused', 'session.anonymous-refused'],
    ['session.handshake-failed', 'session.handshake-failed'],
    ['transport.dial-failed', 'relay.destination-unreachable'],
    ['node.no-transport', 'relay.destination-unreachable'],
    ['shutdown', 'relay.destination-unreachable'],
    ['bug', 'relay.destination-unreachable'],
    ['relay.hops-invalid', 'relay.destination-unreachable'],
    ['relay.unknown-port', 'relay.destination-unreachable'],
  ] as const)('a refusal with %s: %s', (code, told) => {
    expect(reportedRefusal(code)).toBe(told);
  });

  test('no refusal and no end says that it is the fault of whoever hears it, or of this version', () => {
    for (const code of codes) {
      expect(['policy', 'network', 'authentication']).toContain(REASONS[reportedRefusal(code)].kind);
      const { kind } = REASONS[reportedEnd(code)];
      expect(kind === 'caller' ? reportedEnd(code) : kind).not.toBe('bug');
      if (kind === 'caller') expect(reportedEnd(code)).toBe('aborted');
    }
  });

  test('what was said stays the cause, and when to come again is told as it was', () => {
    const error = new MatryoshkaError('config.invalid', undefined, { retryAfterMs: 7 });
    expect(reported(error, reportedRefusal)).toMatchObject({ code: 'relay.destination-unreachable', cause: error, retryAfterMs: 7 });
    const busy = new MatryoshkaError('relay.busy');
    expect(reported(busy, reportedRefusal)).toBe(busy);
  });
});
