import { expect, test } from 'vitest';
import * as peer from './index.ts';

test('the entry exports exactly this', () => {
  expect(Object.keys(peer).toSorted()).toEqual([
    'Acceptor',
    'AsyncStream',
    'DEFAULT_KEY_UPDATE_SETTINGS',
    'DEFAULT_RESUME_SETTINGS',
    'INITIAL_STREAM_CREDIT_BYTES',
    'MAX_STREAMS',
    'MAX_STREAM_WINDOW_BYTES',
    'Outbox',
    'PRIVATE_RECORD_LENGTH',
    'Protocols',
    'ReceiveWindow',
    'RuledDoor',
    'STREAM_HIGH_WATER_BYTES',
    'Scheduler',
    'SendCredit',
    'Session',
    'Stream',
    'TRAFFIC_PRESETS',
    'asyncStream',
    'connectSession',
    'deadline',
    'hourBucket',
    'recordLengthOf',
    'webStreams',
  ]);
});
