import { expect, test } from 'vitest';
import * as circuit from './index.ts';

test('the entry exports exactly this', () => {
  expect(Object.keys(circuit).toSorted()).toEqual([
    'Circuit',
    'CircuitBuilder',
    'ComposedPolicy',
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
    'latencyBelow',
    'memoryDirectory',
    'only',
    'uniformly',
  ]);
});
