import { expect, test } from 'vitest';

test('exports of the main entry', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'BlockWatch',
    'Machine',
    'SealRecord',
    'SimulatedClock',
    'SimulatedNetwork',
    'SimulatedWire',
    'createWorld',
    'inWorld',
    'randomReal',
    'seededRandom',
    'simulatedProvider',
  ]);
});
