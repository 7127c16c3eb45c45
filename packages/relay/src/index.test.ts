import { expect, test } from 'vitest';
import * as relay from './index.ts';

test('the entry exports exactly this', () => {
  expect(Object.keys(relay).toSorted()).toEqual([
    'CreditPool',
    'DEFAULT_ALLOWANCE_SETTINGS',
    'DEFAULT_RELAY_LIMITS',
    'DEFAULT_RELAY_OPTIONS',
    'DEFAULT_REPUTATION_SETTINGS',
    'INITIAL_RELAY_WINDOW_BYTES',
    'MAX_HOPS',
    'MAX_NESTING',
    'MAX_RELAY_WINDOW_BYTES',
    'MIN_RELAY_WINDOW_BYTES',
    'RELAY_MEMORY_BYTES',
    'RelayLink',
    'RelayService',
    'ServedLink',
    'ServedSide',
    'all',
    'allowPeers',
    'checkDial',
    'denyPeers',
    'distinctOperators',
    'endpointsOf',
    'exclude',
    'greetings',
    'isShared',
    'lowestLatency',
    'operatorTag',
    'peerIdOf',
    'prefer',
    'randomNextHop',
    'tagged',
    'weightedByBandwidth',
  ]);
});
