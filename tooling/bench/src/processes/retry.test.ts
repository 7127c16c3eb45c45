import { expect, test } from 'vitest';
import { retry } from './retry.ts';

test('tries until it works', async () => {
  let tries = 0;
  const attempt = (): Promise<number> => (++tries < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(tries));
  await expect(retry(10_000, attempt)).resolves.toBe(3);
});

test('gives up with the last reason', async () => {
  let tries = 0;
  await expect(retry(0, () => Promise.reject(new Error(`try ${++tries}`)))).rejects.toThrow(/^try \d+$/);
});
