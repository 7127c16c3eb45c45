import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';

async function numbers(log: EventLog, after: number | undefined, count: number): Promise<number[]> {
  const enough = new AbortController();
  const read: number[] = [];
  for await (const { number } of log.read(after, enough.signal)) {
    read.push(number);
    if (read.length === count) enough.abort();
  }
  return read;
}

test('a reader goes on where it was; one from an earlier run hears what is new', async () => {
  const log = new EventLog();
  for (let count = 0; count < 3; count++) log.publish({ event: 'stopping' });
  expect(await numbers(log, 1, 2)).toEqual([2, 3]);
  expect(await numbers(log, 0, 3)).toEqual([1, 2, 3]);
  for (const after of [undefined, 99]) {
    const reading = numbers(log, after, 1);
    log.publish({ event: 'stopping' });
    // oxlint-disable-next-line no-await-in-loop
    expect(await reading).toEqual([log.last]);
  }
});

test('what is not kept is heard by those who listen only; of the rest the newest thousand are', async () => {
  const log = new EventLog();
  const reading = numbers(log, undefined, 1);
  log.publish({ event: 'progress', bytes: 1, size: 2 }, { keep: false });
  expect(await reading).toEqual([1]);
  for (let count = 0; count < 1_500; count++) log.publish({ event: 'stopping' });
  expect(await numbers(log, 0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, index) => 502 + index));
});

test('one who is too far behind is let go, and nobody waits for it', async () => {
  const log = new EventLog();
  const events = log.read(undefined, new AbortController().signal);
  const first = events.next();
  log.publish({ event: 'stopping' });
  expect(await first).toMatchObject({ done: false, value: { number: 1 } });
  for (let count = 0; count < 6_000; count++) log.publish({ event: 'stopping' });
  expect((await events.next()).done).toBe(true);
});
