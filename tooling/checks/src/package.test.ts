import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Conditions, publishedPackages } from './workspace.ts';

/** The entries of each package; more than these are API nobody decided on. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  '@matryoshka/wire': ['.'],
  '@matryoshka/session': ['.', './contract'],
  '@matryoshka/transport': ['.', './contract', './tcp', './websocket'],
  '@matryoshka/native': ['.'],
  '@matryoshka/simulation': ['.'],
  '@matryoshka/peer': ['.'],
  '@matryoshka/relay': ['.'],
  '@matryoshka/circuit': ['.'],
  '@matryoshka/node': ['.', './directory', './duplex'],
};

/** What each package may install besides packages of this repository; more needs a decision record. */
const THIRD_PARTY: Readonly<Record<string, readonly string[]>> = {
  '@matryoshka/session': ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum', '@scure/base'],
  '@matryoshka/transport': ['ipaddr.js', 'ws'],
  '@matryoshka/native': ['sodium-native'],
  '@matryoshka/node': ['zod'],
};

const published = publishedPackages();
const libraries = published.filter(({ path }) => path.startsWith('packages/'));

function files(conditions: Conditions): readonly (readonly [string, string])[] {
  if (typeof conditions === 'string') return [['', conditions]];
  return Object.entries(conditions).flatMap(([condition, to]) =>
    files(to).map(([deeper, file]) => [deeper === '' ? condition : `${condition} ${deeper}`, file] as const),
  );
}

test('every library of the design is published', () => {
  expect(libraries.map(({ manifest }) => manifest.name).toSorted()).toEqual(Object.keys(ENTRIES).toSorted());
});

describe.each(published)('$manifest.name', ({ manifest }) => {
  test('says what it is and under which terms', () => {
    expect(manifest.license).toBe('MIT');
    expect(manifest.description?.length).toBeGreaterThan(20);
    expect(manifest.keywords).toContain('matryoshka');
    expect(manifest.keywords?.length).toBeGreaterThan(2);
  });

  test('is an ES module that names its engine and its files', () => {
    expect(manifest.type).toBe('module');
    expect(manifest.engines?.['node']).toMatch(/^>=\d+/);
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', '!src/**/*.test.ts']));
  });
});

describe.each(libraries)('$manifest.name', ({ folder, manifest }) => {
  const entries = manifest.exports ?? {};

  test('has no side effects, so that what is not used is left out', () => {
    expect(manifest.sideEffects).toBe(false);
  });

  test('exports its entry, and no other than those of the design', () => {
    expect(Object.keys(entries)).toContain('.');
    for (const entry of Object.keys(entries)) expect(ENTRIES[manifest.name]).toContain(entry);
  });

  test('each entry leads to its source in this repository and to its build elsewhere', () => {
    for (const [entry, conditions] of Object.entries(entries)) {
      const found = files(conditions);
      const sources = found.filter(([condition]) => condition.endsWith('@matryoshka/source')).map(([, file]) => file);
      expect(sources.length, entry).toBeGreaterThan(0);
      for (const source of sources) expect(existsSync(join(folder, source)), `${entry}: ${source}`).toBe(true);
      const built = found.filter(([condition]) => condition.endsWith('default')).map(([, file]) => file);
      expect(built.toSorted(), entry).toEqual(sources.map((file) => file.replace('./src/', './dist/').replace(/\.ts$/, '.js')).toSorted());
      const types = found.filter(([condition]) => condition.endsWith('types')).map(([, file]) => file);
      expect(types.toSorted(), entry).toEqual(
        sources.map((file) => file.replace('./src/', './dist/').replace(/\.ts$/, '.d.ts')).toSorted(),
      );
    }
  });

  test('installs nothing that was not decided on', () => {
    const foreign = Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@matryoshka/'));
    for (const name of foreign) expect(THIRD_PARTY[manifest.name] ?? []).toContain(name);
  });
});
