import { SimulatedClock } from '@matryoshka/simulation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agenda, type Entry } from './agenda.ts';

describe('an agenda', () => {
  test('runs each task at its time, with one timer for all', async () => {
    const clock = new SimulatedClock();
    const agenda = new Agenda(clock);
    const ran: string[] = [];
    for (const ms of [300, 100, 200, 100]) agenda.add(ms, { due: () => ran.push(`${ms} at ${clock.now()}`) });
    await clock.run();
    expect(ran).toEqual(['100 at 100', '100 at 100', '200 at 200', '300 at 300']);
    expect(agenda.size).toBe(0);
  });

  test('a task may add others, and take others out', async () => {
    const clock = new SimulatedClock();
    const agenda = new Agenda(clock);
    const ran: number[] = [];
    const gone = agenda.add(20, { due: () => ran.push(-1) });
    agenda.add(10, {
      due: () => {
        agenda.remove(gone);
        agenda.remove(gone);
        agenda.add(0, { due: () => ran.push(clock.now()) });
        agenda.add(50, { due: () => ran.push(clock.now()) });
      },
    });
    await clock.run();
    expect(ran).toEqual([10, 60]);
  });

  test('may be hurried', () => {
    const agenda = new Agenda(new SimulatedClock());
    const ran: number[] = [];
    for (const ms of [3, 1, 2]) agenda.add(ms, { due: () => ran.push(ms) });
    agenda.hurry();
    expect([ran, agenda.size]).toEqual([[1, 2, 3], 0]);
  });

  test('property: whatever is added and taken out, the rest runs once, in order', async () => {
    const step = fc.record({ ms: fc.nat(1000), remove: fc.option(fc.nat(50)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new SimulatedClock();
        const agenda = new Agenda(clock);
        const ran: number[] = [];
        const entries: Entry[] = [];
        const kept = new Set<Entry>();
        for (const { ms, remove } of steps) {
          const entry = agenda.add(ms, { due: () => ran.push(ms) });
          entries.push(entry);
          kept.add(entry);
          const other = remove === null ? undefined : entries[remove];
          if (other === undefined) continue;
          agenda.remove(other);
          kept.delete(other);
        }
        await clock.run();
        expect(ran).toEqual([...kept].map(({ atMs }) => atMs).toSorted((a, b) => a - b));
      }),
    );
  });
});
