import { expect, test } from 'vitest';
import type { TimedEvent } from '../events.ts';
import { Timeline } from './timeline.ts';

test('what several processes tell comes in the order of time, whatever the order of their pipes', () => {
  const shown: string[] = [];
  const timeline = new Timeline((name) => shown.push(name));
  const event = (at: number): TimedEvent => ({ event: 'progress', bytes: 0, size: 0, at });
  timeline.add('third', event(3));
  timeline.add('first', event(1));
  timeline.add('second', event(2));
  expect(shown).toEqual([]);
  timeline.flush();
  expect(shown).toEqual(['first', 'second', 'third']);
});
