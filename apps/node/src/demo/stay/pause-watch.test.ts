import { describe, expect, test } from 'vitest';
import { PauseWatch } from './pause-watch.ts';

describe('the pause of a connection that changes its path', () => {
  test('is the longest time between two messages around it', () => {
    const watch = new PauseWatch(0);
    expect([watch.arrived(900), watch.arrived(1_000)], 'before it').toEqual([undefined, undefined]);
    watch.interrupted();
    expect(watch.arrived(1_050), 'one that was on its way').toBeUndefined();
    watch.changed();
    expect(watch.arrived(1_400)).toBe(350);
    expect(watch.arrived(9_000), 'told once').toBeUndefined();
  });

  test('is told also where nobody heard that the path was gone', () => {
    const watch = new PauseWatch(0);
    watch.arrived(5_000);
    watch.changed();
    expect(watch.arrived(5_200)).toBe(200);
  });

  test('counts from the first of several changes', () => {
    const watch = new PauseWatch(0);
    watch.interrupted();
    watch.changed();
    watch.interrupted();
    expect(watch.arrived(700)).toBeUndefined();
    watch.changed();
    expect(watch.arrived(800)).toBe(700);
  });
});
