import { expect, test } from 'vitest';

test('the entry exports exactly this', async () => {
  expect(Object.keys(await import('./index.ts')).sort()).toEqual(['loadNativeProvider']);
});
