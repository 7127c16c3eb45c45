import { expect, test } from 'vitest';
import { edgeRates } from './edge-rates.ts';
import type { MapEdge } from './map.ts';

const rates: Readonly<Record<string, { sent: number; received: number }>> = {
  connection: { sent: 100, received: 50 },
  link: { sent: 30, received: 10 },
};
const meter = { rate: (key: string) => rates[key] ?? { sent: 0, received: 0 } };

test('what is forwarded is told apart from what is one’s own', () => {
  const edge = {
    flows: [
      { purpose: 'own', counters: 'connection', along: true },
      { purpose: 'forwarded', counters: 'link', along: false },
    ],
  } as unknown as MapEdge;
  expect(edgeRates(meter, edge, 'forwarded')).toEqual([10, 30]);
  expect(edgeRates(meter, edge, 'own')).toEqual([90, 20]);
  expect(edgeRates(meter, edge, 'circuit')).toEqual([0, 0]);
});
