import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tableRows } from './markdown.ts';
import { ROOT } from './workspace.ts';

// docs/threat-model.md says of each attack which test shows that it fails: `file` "title", one or more.

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** The tests that a cell names; undefined where there is anything else in it, or nothing. */
function namedTests(cell: string): readonly NamedTest[] | undefined {
  const pattern = /(\S+\.test\.ts) "([^"]+)"/g;
  const named = [...cell.matchAll(pattern)].map(([, file, title]) => ({ file: file as string, title: title as string }));
  const rest = cell.replaceAll(pattern, '').replaceAll(/[,\s]/g, '');
  return named.length > 0 && rest === '' ? named : undefined;
}

/** Whether source has a test, or a group of tests, of this title: the first argument of a call. */
function hasTest(source: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => new RegExp(`\\(\\s*${escape(quote + title + quote)}\\s*,`).test(source));
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const text = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');
const rows = tableRows(text, ['attack', 'what stops it', 'tests']);

describe('docs/threat-model.md', () => {
  test('has one line per attack, none of them twice', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(new Set(rows.map(({ attack }) => attack)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row['attack'] as string, row] as const))('%s: has tests, which are there', (_attack, row) => {
    expect(row['what stops it']).not.toBe('');
    const named = namedTests(row['tests'] as string);
    expect(named, 'expected `path/of/a.test.ts` "title of a test", and more of them after commas').toBeDefined();
    const missing = named?.filter(({ file, title }) => {
      const path = join(ROOT, file);
      return !existsSync(path) || !hasTest(readFileSync(path, 'utf8'), title);
    });
    expect(missing).toEqual([]);
  });
});

describe('the check itself', () => {
  test('finds what is no test, or says more than that', () => {
    expect(namedTests('a/b.test.ts "does it", c.test.ts "and this"')).toHaveLength(2);
    for (const cell of ['', 'a/b.test.ts', 'a/b.test.ts does it', 'a/b.test.ts "does it" and more'])
      expect(namedTests(cell)).toBeUndefined();
    const source = "test('does it', () => {});\ntest.each([1])(\n  `all of %s (twice)`,\n  () => {});\n// 'says so'";
    expect([hasTest(source, 'does it'), hasTest(source, 'all of %s (twice)')]).toEqual([true, true]);
    expect([hasTest(source, 'says so'), hasTest(source, 'does')]).toEqual([false, false]);
  });
});
