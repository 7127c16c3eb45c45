import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, publishedPackages, readJson } from '../workspace.ts';
import { getDependencyReleaseLine, getReleaseLine } from './changelog.ts';

test('a change is one item of a list, its lines below each other', () => {
  expect(getReleaseLine({ summary: 'Relays told\ntheir limits.\n' })).toBe('- Relays told\n  their limits.');
  expect(getDependencyReleaseLine()).toBe('');
});

test('is what the configuration of changesets names, and all packages get one version', () => {
  const config = readJson<{ readonly changelog: string; readonly fixed: readonly (readonly string[])[] }>('.changeset', 'config.json');
  expect(join(ROOT, '.changeset', config.changelog)).toBe(join(import.meta.dirname, 'changelog.ts'));
  expect(config.fixed).toEqual([['@matryoshka/*']]);
  expect(new Set(publishedPackages().map(({ path }) => readJson<{ version: string }>(path, 'package.json').version)).size).toBe(1);
});

test('the version in the source of descriptors can be set', () => {
  expect(readFileSync(join(ROOT, 'packages', 'node', 'src', 'software.ts'), 'utf8')).toMatch(/SOFTWARE = 'matryoshka \d+\.\d+\.\d+/);
});
