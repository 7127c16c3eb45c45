import { expect, test } from 'vitest';
import * as circuit from './index.ts';

test('the entry exports exactly this', () => {
  expect(Object.keys(circuit).toSorted()).toEqual([
    'BuildTimeouts',
    'Circuit',
    'CircuitFactory',
    'CircuitPool',
    'CircuitRoute',
    'ComposedPolicy',
    'DEFAULT_CIRCUIT_POOL_SETTINGS',
    'DEFAULT_CONSTRAINTS',
    'DEFAULT_NETWORK_BITS',
    'EntryGuards',
    'MAX_DESCRIPTORS',
    'Measurements',
    'MemoryDirectory',
    'PairFailures',
    'buildCircuit',
    'byBandwidth',
    'checkPath',
    'distinctNetworks',
    'distinctOperators',
    'except',
    'extendFailed',
    'fixedPath',
    'latencyBelow',
    'memoryDirectory',
    'only',
    'uniformly',
  ]);
});
