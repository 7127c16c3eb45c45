import { randomBytes } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { BlockWatch } from './block-watch.ts';
import { seededRandom } from './seeded-random.ts';

describe('a watch for blocks', () => {
  test('finds a block that is seen at two places, and says where', () => {
    let now = 5;
    const watch = new BlockWatch(() => now);
    const record = randomBytes(seededRandom(1), 100);
    watch.note('link 1', record);
    now = 9;
    watch.note('link 2', randomBytes(seededRandom(2), 100));
    expect(watch.violations).toEqual([]);
    const other = randomBytes(seededRandom(3), 100);
    other.set(record.subarray(32, 48), 64);
    watch.note('link 2', other);
    expect(watch.violations).toEqual([
      'a block was seen twice: on link 1 at 5 ms (byte 32 of its message), then on link 2 at 9 ms (byte 64)',
    ]);
  });

  test('has nothing against repetition at one place, and none against what ends before a block is full', () => {
    const watch = new BlockWatch();
    const record = randomBytes(seededRandom(1), 47);
    watch.note(1, record);
    watch.note(1, record);
    watch.note(2, record.subarray(32));
    expect(watch.blocks).toBe(2);
    expect(watch.violations).toEqual([]);
  });

  test('remembers the latest blocks, not all of them', () => {
    const watch = new BlockWatch(() => 0, 4);
    const blocks = Array.from({ length: 9 }, (_, i) => randomBytes(seededRandom(i), 16));
    for (const block of blocks) watch.note('link 1', block);
    expect(watch.blocks).toBe(9);
    for (const block of blocks.slice(4)) watch.note('link 2', block);
    expect(watch.violations).toHaveLength(5);
    watch.note('link 2', blocks[0]!);
    expect(watch.violations).toHaveLength(5);
  });

  test('tells apart blocks that differ in any one bit', () => {
    const watch = new BlockWatch();
    const block = randomBytes(seededRandom(1), 16);
    watch.note('whole', block);
    for (let bit = 0; bit < 128; bit++) {
      const changed = block.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      watch.note(`without bit ${bit}`, changed);
    }
    expect(watch.blocks).toBe(129);
    expect(watch.violations).toEqual([]);
  });
});
