import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tableRows } from './markdown.ts';
import { ROOT, readJson, workspacePackages, workspacePatterns } from './workspace.ts';

// ARCHITECTURE.md is what people read, turbo.json what the tool enforces: they must say the same.

interface Turbo {
  readonly tags?: readonly string[];
  readonly boundaries?: { readonly tags: Readonly<Record<string, { readonly dependencies: { readonly deny: readonly string[] } }>> };
}

const rows = tableRows(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'), ['layer', 'package']);
const layerOfPath = new Map<string, number>();
for (const row of rows) {
  for (const pattern of (row['package'] as string).split(',').map((cell) => cell.trim())) {
    for (const path of globSync(pattern, { cwd: ROOT })) layerOfPath.set(path, Number(row['layer']));
  }
}

const packages = workspacePackages();
const layerOfName = new Map(packages.map(({ path, manifest }) => [manifest.name, layerOfPath.get(path)]));
const TOP = Math.max(...layerOfPath.values());

describe('layers', () => {
  test('every package has a layer in ARCHITECTURE.md, and every row of its table a package', () => {
    expect(packages.length).toBeGreaterThan(0);
    for (const { path } of packages) expect(layerOfPath.get(path), path).toBeTypeOf('number');
    for (const row of rows) expect(row['layer'], row['package']).toMatch(/^[0-9]$/);
    for (const pattern of workspacePatterns().filter((line) => !line.includes('*'))) expect(layerOfPath.has(pattern), pattern).toBe(true);
  });

  test.each(packages)('$path carries the tag of its layer', ({ path }) => {
    expect(readJson<Turbo>(path, 'turbo.json').tags).toEqual([`layer-${layerOfPath.get(path)}`]);
  });

  test('each tag denies its own layer and those above; the top may use its neighbours', () => {
    const tags = readJson<Turbo>('turbo.json').boundaries?.tags ?? {};
    expect(Object.keys(tags)).toHaveLength(TOP + 1);
    for (let layer = 0; layer <= TOP; layer++) {
      const deny = layer === TOP ? [] : Array.from({ length: TOP - layer + 1 }, (_, index) => `layer-${layer + index}`);
      expect(tags[`layer-${layer}`]?.dependencies.deny, `layer-${layer}`).toEqual(deny);
    }
  });

  test.each(packages)('$path depends on lower layers only, never on its own', ({ path, manifest }) => {
    const layer = layerOfPath.get(path) as number;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (!name.startsWith('@matryoshka/')) continue;
      const other = layerOfName.get(name);
      expect(other, `${name} is no package of this workspace`).toBeTypeOf('number');
      if (layer < TOP) expect(other, `${path} (${layer}) -> ${name} (${other})`).toBeLessThan(layer);
    }
  });

  test('pnpm-workspace.yaml lists the lowest layer first', () => {
    const layers = packages.map(({ path }) => layerOfPath.get(path) as number);
    expect(layers).toEqual(layers.toSorted((a, b) => a - b));
  });

  test.each(packages.filter(({ path }) => path.startsWith('packages/')))('the project references of $path are its dependencies', (item) => {
    const { references = [] } = readJson<{ references?: readonly { path: string }[] }>(item.path, 'tsconfig.json');
    const referenced = references.map(({ path }) => `@matryoshka/${path.replace('../', '')}`);
    const dependencies = Object.keys(item.manifest.dependencies ?? {}).filter((name) => name.startsWith('@matryoshka/'));
    expect(referenced.toSorted()).toEqual(dependencies.toSorted());
  });
});
