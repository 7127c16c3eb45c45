import { expect, test } from 'vitest';
import * as circuit from './index.ts';

test('the entry exports exactly this', () => {
  expect(Object.keys(circuit).toSorted()).toEqual([
    'Circuit',
    'CircuitBuilder',
    'MAX_DESCRIPTORS',
    'MemoryDirectory',
    'buildCircuit',
    'checkPath',
    'memoryDirectory',
  ]);
});
