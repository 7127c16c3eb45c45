import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fences } from '../src/markdown.ts';
import { toolEnvironment } from '../src/pnpm.ts';
import { fenceFault, runFence } from '../src/run-fence.ts';
import { type Manifest, ROOT } from '../src/workspace.ts';

// What a user gets who installs only `session`: its tarball and that of `wire`, in an empty folder, with plain npm.

const env = toolEnvironment();
const folder = mkdtempSync(join(tmpdir(), 'matryoshka-tarball-'));
const run = (program: string, args: readonly string[], cwd: string): string =>
  execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const installed = (name: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;

beforeAll(() => {
  run('tsc', ['-b', 'packages/session'], ROOT);
  for (const name of ['wire', 'session']) run('pnpm', ['pack', '--pack-destination', folder], join(ROOT, 'packages', name));
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }\n');
  run('npm', ['install', '--no-audit', '--no-fund', ...tarballs.map((file) => `./${file}`)], folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('session, installed from its tarball', () => {
  test('brings wire along, and nothing native, no server, no schema library', () => {
    const names = [...globSync('node_modules/*', { cwd: folder }), ...globSync('node_modules/@*/*', { cwd: folder })].map((path) =>
      path.slice('node_modules/'.length),
    );
    expect(names.filter((name) => name.startsWith('@matryoshka/')).toSorted()).toEqual(['@matryoshka/session', '@matryoshka/wire']);
    for (const name of ['sodium-native', 'ws', 'zod']) expect(names).not.toContain(name);
    expect(names.filter((name) => name.includes('/')).every((name) => /^@(?:matryoshka|noble|scure)\//.test(name))).toBe(true);
    expect(names.filter((name) => !name.startsWith('@'))).toEqual([]);
  });

  test('names real versions where the workspace has its protocol', () => {
    for (const name of ['@matryoshka/session', '@matryoshka/wire']) {
      for (const [dependency, range] of Object.entries(installed(name).dependencies ?? {}))
        expect(range, `${name} -> ${dependency}`).toMatch(/^[\^~]?\d+\.\d+\.\d+/);
    }
    expect(installed('@matryoshka/session').dependencies?.['@matryoshka/wire']).toBe(
      `^${(installed('@matryoshka/wire') as Manifest & { version: string }).version}`,
    );
  });

  test('holds builds with their types, and no tests', () => {
    for (const name of ['session', 'wire']) {
      const files = globSync('**', { cwd: join(folder, 'node_modules', '@matryoshka', name) });
      for (const file of ['dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'README.md', 'LICENSE']) expect(files, name).toContain(file);
      expect(files.filter((file) => file.includes('.test.') || file.endsWith('.tsbuildinfo'))).toEqual([]);
    }
  });

  test('every entry loads in plain Node', () => {
    for (const name of ['@matryoshka/wire', '@matryoshka/session']) {
      for (const entry of Object.keys(installed(name).exports ?? {})) {
        const specifier = `${name}${entry.slice(1)}`;
        const script = `import * as it from '${specifier}'; if (Object.keys(it).length === 0) throw new Error('empty');`;
        expect(() => run(process.execPath, ['--input-type=module', '--eval', script], folder), specifier).not.toThrow();
      }
    }
  });

  test("its README's example runs there and prints what it says", async () => {
    const file = join(folder, 'node_modules', '@matryoshka', 'session', 'README.md');
    expect(existsSync(file)).toBe(true);
    const example = fences(readFileSync(file, 'utf8')).find(({ language }) => language === 'ts');
    expect(example).toBeDefined();
    const code = example?.code ?? '';
    expect(fenceFault(code, await runFence(code, folder, { source: false }))).toBeUndefined();
  });
});
