import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { measureBuilds } from './builds.ts';

test('builds are in progress as many at a time as asked, and each is closed', async () => {
  let building = 0;
  let most = 0;
  let open = 0;
  const { count, medianMs, p99Ms } = await measureBuilds(
    async () => {
      most = Math.max(most, ++building);
      await delay(1);
      building--;
      open++;
      return () => {
        open--;
      };
    },
    0,
    4,
    0,
  );
  expect({ count, most, open }).toEqual({ count: 4, most: 4, open: 0 });
  expect(p99Ms).toBeGreaterThanOrEqual(medianMs);
});

test('there are enough of them, however short the round is', async () => {
  const { count } = await measureBuilds(() => Promise.resolve(() => {}), 0, 3, 50);
  expect(count).toBeGreaterThanOrEqual(50);
  expect(count).toBeLessThan(54);
});

test('what fails is told', async () => {
  await expect(measureBuilds(() => Promise.reject(new Error('no way')), 0, 2)).rejects.toThrow('no way');
});
