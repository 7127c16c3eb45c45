import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeOptions } from '@matryoshka/node';
import { describe, expect, test } from 'vitest';
import { tableRows } from './markdown.ts';
import { ROOT } from './workspace.ts';

// docs/limits.md says what each limit is by default; this compares it with the code.
const rows = tableRows(readFileSync(join(ROOT, 'docs', 'limits.md'), 'utf8'), ['limit', 'default', 'unit', 'where']);
const options: unknown = parseNodeOptions({ transports: [() => ({})] });
const app = readFileSync(join(ROOT, 'apps', 'node', 'src', 'config', 'app-keys.ts'), 'utf8');

/** The value at a path such as `relay.enabled`. */
function optionAt(path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], options);
}

/** What a key of the daemon is by default, where that is a number. */
function appDefault(path: string): number | undefined {
  const text = new RegExp(`'${path}',\\s+[^;]*?\\(\\) => ([\\d_]+),`).exec(app)?.[1];
  return text === undefined ? undefined : Number(text.replaceAll('_', ''));
}

/** A constant that is a number, or a product or power of numbers. */
function constantIn(file: string, name: string): number | undefined {
  const text = new RegExp(`^(?:export )?const ${name}(?:: number)? = ([\\d_ *a-fx]+);`, 'm').exec(
    readFileSync(join(ROOT, file), 'utf8'),
  )?.[1];
  return text
    ?.replaceAll('_', '')
    .split(/ \* /)
    .map((factor) => factor.split('**').map(Number))
    .map(([base = Number.NaN, exponent = 1]) => base ** exponent)
    .reduce((product, factor) => product * factor, 1);
}

describe('docs/limits.md', () => {
  test('has limits of every part, each with what happens at it', () => {
    expect(rows.length).toBeGreaterThan(60);
    for (const row of rows) expect(row.unit, row.limit).not.toBe('');
  });

  test.each(rows.map((row) => [row.limit ?? '', row] as const))('%s', (_limit, { default: said = '', where = '' }) => {
    const [file = '', name] = where.split(' ');
    const actual = name === undefined ? (optionAt(where) ?? appDefault(where)) : constantIn(file, name);
    expect(Number(said.replaceAll(',', '')), where).toBe(actual);
  });
});
