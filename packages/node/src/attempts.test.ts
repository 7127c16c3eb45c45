import { getEventListeners } from 'node:events';
import { MatryoshkaError } from '@matryoshka/wire';
import { expect, test } from 'vitest';
import { Attempts } from './attempts.ts';

/** An attempt that ends when it is aborted, with the reason. */
const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

const shutdown = new MatryoshkaError('shutdown');

test('all that is being tried ends with the node, and nothing begins after', async () => {
  const attempts = new Attempts();
  const running = [attempts.run(undefined, endless), attempts.run(new AbortController().signal, endless)];
  attempts.close(shutdown);
  for (const attempt of running) await expect(attempt).rejects.toBe(shutdown);
  await expect(attempts.run(undefined, endless)).rejects.toMatchObject({ code: 'aborted', cause: shutdown });
});

test('whoever asked may give up, before and while it runs', async () => {
  const attempts = new Attempts();
  const controller = new AbortController();
  const running = attempts.run(controller.signal, endless);
  controller.abort('enough');
  await expect(running).rejects.toBe('enough');
  await expect(attempts.run(controller.signal, endless)).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
});

test('no two attempts share a signal', async () => {
  const attempts = new Attempts();
  const seen: AbortSignal[] = [];
  const note = (signal: AbortSignal): Promise<number> => Promise.resolve(seen.push(signal));
  expect(await attempts.run(undefined, note)).toBe(1);
  expect(await attempts.run(undefined, note)).toBe(2);
  expect(seen[0]).not.toBe(seen[1]);
  expect(getEventListeners(seen[1] as AbortSignal, 'abort')).toEqual([]);
});
