import { describe, expect, test } from 'vitest';
import { type Known, filled, matches } from './placeholders.ts';

const known: Known = { peerId: (machine) => Promise.resolve(`mtk1${machine}id`), invite: 'matryoshka-invite-AQx_-9' };

describe('placeholders', () => {
  test('are filled in: whose peer id, and the last invite', async () => {
    expect(await filled('join matryoshka-invite-AQBt… && connect mtk1…home@mtk1…relay-1@192.0.2.1:9', known)).toBe(
      'join matryoshka-invite-AQx_-9 && connect mtk1homeid@mtk1relay-1id@192.0.2.1:9',
    );
  });

  test.each([
    ['peer  mtk1…home', 'peer          mtk1homeid\n', true],
    ['peer  mtk1…home', 'peer          mtk1otherid\n', false],
    ['… open', 's1 open\n', true],
    ['s1 open', 's1 open\nmore\n', false],
    ['…\nend', 'a\nb\nend\n', true],
    ['…\nend', 'end\n', true],
    ['…\nend', 'a\nend\nb\n', false],
    ['a.c (1)', 'abc 1\n', false],
  ])('%j in what is printed: %j is %s', async (expected, actual, result) => {
    expect(await matches(actual, expected.split('\n'), known)).toBe(result);
  });
});
