import type { ConnectionStatus, RelayLinkStatus } from '@matryoshka/node';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { NamedEvent } from '../events.ts';
import { logEvent } from './log-event.ts';
import { textLine } from './logger.ts';

// What others are called by, and where they are: none of it may be in a line above debug.
const OTHER = 'mtk1other';
const PLACE = '203.0.113.9:999';
const PORT = '748383123929';

const connection = { id: 's3', kind: 'direct', role: 'responder', state: 'open', peerId: OTHER, remote: PLACE } as ConnectionStatus;
const link = {
  port: PORT,
  nextPort: PORT,
  state: 'open',
  previousHop: { peerId: OTHER, endpoint: PLACE },
  nextHop: { peerId: OTHER, endpoint: PLACE },
  hopsLeft: 1,
  destination: `${OTHER}@${PLACE}`,
} as RelayLinkStatus;
const reason = { code: 'session.link-lost', message: `the link to ${PLACE} is lost` };
const transferred = { size: 1, sha256: 'ab', seconds: 1 };

const EVENTS: readonly NamedEvent[] = [
  { event: 'connection', connection },
  { event: 'suspended', connection, reason },
  { event: 'resumed', connection },
  { event: 'path-changed', connection, gateway: OTHER, reason },
  { event: 'registration', registration: { relay: OTHER, address: `mtk1me@${OTHER}@${PLACE}`, state: 'registered', error: undefined } },
  { event: 'descriptor-refused', peerId: OTHER, reason },
  { event: 'disconnected', connection, reason },
  { event: 'peer-failed', peer: `${OTHER}@${PLACE}`, error: reason, retryInMs: 5 },
  { event: 'relay-requested', link },
  { event: 'relay-opened', link },
  { event: 'relay-closed', link },
  { event: 'relay-accepted', previousHop: OTHER, endpoint: PLACE, relayPort: PORT },
  { event: 'receiving', name: 'secret.txt', size: 1, connection },
  { event: 'received', file: '/srv/inbox/secret.txt', name: 'secret.txt', connection, ...transferred },
  { event: 'receive-failed', name: 'secret.txt', error: reason, connection },
];

function logged(event: NamedEvent, level: string): string {
  let text = '';
  logEvent(pino({ level, base: null }, { write: (line: string) => (text += line) }), event);
  return text;
}

describe('the log', () => {
  test.each(EVENTS.map((event) => [event.event, event] as const))(
    '%s: what happened at info, without others; who it was at debug',
    (_name, event) => {
      const above = logged(event, 'info');
      expect(above).toMatch(/"msg":"[a-z ]+"/);
      for (const secret of [OTHER, PLACE, PORT, 'secret.txt']) expect(above).not.toContain(secret);
      expect(logged(event, 'debug')).toMatch(new RegExp([OTHER, PLACE, 'secret.txt'].join('|')));
    },
  );

  test('as text is one line for people', () => {
    const line = JSON.stringify({ level: 30, time: '2026-01-02T10:55:13.001Z', kind: 'direct', bytes: 5, msg: 'connection opened' });
    expect(textLine(line, true)).toBe('10:55:13 info  connection opened (kind=direct, bytes=5)\n');
    expect(textLine(line, false)).toBe('info  connection opened (kind=direct, bytes=5)\n');
  });
});
