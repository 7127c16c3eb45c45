import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairTable } from './admission-table.ts';

describe('a bounded table of strangers', () => {
  const fill = (limit: number, sources: string): { readonly table: FairTable; readonly evicted: string[] } => {
    const evicted: string[] = [];
    const table = new FairTable(() => limit);
    [...sources].forEach((source, i) => table.enter(source, () => evicted.push(`${source}${i}`)));
    return { table, evicted };
  };

  test('above its limit the oldest of the fullest source goes', () => {
    expect(fill(4, 'aabac').evicted).toEqual(['a0']);
    expect(fill(4, 'aabacd').evicted).toEqual(['a0', 'a1']);
    expect(fill(4, 'baaabbb').evicted).toEqual(['a1', 'a2', 'b0']);
  });

  test('who floods it pushes out itself, and nobody else', () => {
    const { table, evicted } = fill(256, `h${'f'.repeat(5000)}`);
    expect(evicted).toHaveLength(5001 - 256);
    expect([table.count('h'), table.count('f'), table.size]).toEqual([1, 255, 256]);
    expect(evicted.includes('h0')).toBe(false);
  });

  test('where all have as many, the one that has been there longest goes', () => {
    expect(fill(3, 'abcde').evicted).toEqual(['a0', 'b1']);
  });

  test('who has left is not evicted, and leaving twice is leaving once', () => {
    const evicted: string[] = [];
    const table = new FairTable(() => 2);
    const first = table.enter('a', () => evicted.push('first'));
    table.enter('a', () => evicted.push('second'));
    first.leave();
    first.leave();
    expect(table.size).toBe(1);
    table.enter('b', () => evicted.push('third'));
    table.enter('c', () => evicted.push('fourth'));
    expect(evicted).toEqual(['second']);
  });

  test('goes by the limit there is now, and tells of each that had to go', () => {
    let limit = 8;
    let told = 0;
    const table = new FairTable(
      () => limit,
      () => void told++,
    );
    for (let i = 0; i < 8; i++) table.enter('a', () => {});
    limit = 2;
    table.enter('b', () => {});
    expect([table.size, told]).toEqual([2, 7]);
  });

  test('agrees with a slow model under any order of coming and going', () => {
    const steps = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(20)), { maxLength: 100 });
    fc.assert(
      fc.property(steps, (all) => {
        const LIMIT = 5;
        const table = new FairTable(() => LIMIT);
        let there: { source: string; gone: boolean; leave: () => void }[] = [];
        for (const step of all) {
          if (typeof step === 'number') {
            there[step]?.leave();
            there = there.filter((_, i) => i !== step);
            continue;
          }
          const counts = Map.groupBy(there, ({ source }) => source);
          const most = Math.max(0, ...[...counts.values()].map(({ length }) => length));
          const entry = { source: step, gone: false, leave: () => {} };
          entry.leave = table.enter(step, () => (entry.gone = true)).leave;
          there.push(entry);
          const gone = there.filter((one) => one.gone);
          expect(gone).toHaveLength(there.length > LIMIT ? 1 : 0);
          for (const { source } of gone) {
            expect(counts.get(source)).toHaveLength(most);
            // The oldest of its source.
            expect(there.find((one) => one.source === source)?.gone).toBe(true);
          }
          there = there.filter((one) => !one.gone);
          expect(table.size).toBe(there.length);
        }
      }),
    );
  });
});
