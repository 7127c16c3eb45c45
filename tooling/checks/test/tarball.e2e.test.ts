import { type Problem, checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fences } from '../src/markdown.ts';
import { toolEnvironment } from '../src/pnpm.ts';
import { fenceFault, runFence } from '../src/run-fence.ts';
import { type Manifest, ROOT, publishedPackages } from '../src/workspace.ts';

// What users get: tarballs, in an empty folder, with plain npm.

const env = toolEnvironment();
/** Of somebody who installs only `session`: its tarball and that of `wire`. */
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

describe('all packages, installed together from their tarballs', () => {
  const all = mkdtempSync(join(tmpdir(), 'matryoshka-tarballs-'));
  let tarballs: readonly string[] = [];
  beforeAll(() => {
    run('tsc', ['-b', ...publishedPackages().map(({ path }) => path)], ROOT);
    const filters = publishedPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
    run('pnpm', ['--recursive', ...filters, 'pack', '--pack-destination', all], ROOT);
    tarballs = readdirSync(all).filter((file) => file.endsWith('.tgz'));
    writeFileSync(join(all, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }\n');
    run('npm', ['install', '--no-audit', '--no-fund', ...tarballs.map((file) => `./${file}`)], all);
  });
  afterAll(() => rmSync(all, { recursive: true, force: true }));

  test('have types that are found where their code is, by ESM and by bundlers', async () => {
    expect(tarballs.length).toBe(publishedPackages().length);
    for (const file of tarballs) {
      // A program: nobody imports it.
      if (file.startsWith('matryoshka-cli-')) continue;
      // oxlint-disable-next-line no-await-in-loop
      const result = await checkPackage(createPackageFromTarballData(readFileSync(join(all, file))));
      // What CommonJS sees is no matter of packages that are ESM only.
      const problems = result.types === false ? ['no types'] : result.problems.filter((problem) => !concernsCommonJs(problem));
      expect(problems, file).toEqual([]);
    }
  });

  test('run matryoshka: --help, init, up, status, dashboard', async () => {
    const matryoshka = join(all, 'node_modules', '.bin', 'matryoshka');
    const home = { ...env, XDG_CONFIG_HOME: join(all, 'config'), XDG_DATA_HOME: join(all, 'data'), XDG_CACHE_HOME: join(all, 'cache') };
    const ask = (...args: readonly string[]): string =>
      execFileSync(matryoshka, args, { cwd: all, env: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(ask('--help')).toContain('Usage: matryoshka');
    const { peerId } = JSON.parse(ask('init', '--yes', '--listen', '127.0.0.1:0', '--json')) as { readonly peerId: string };
    expect(existsSync(join(all, 'config', 'matryoshka', 'config.toml'))).toBe(true);
    const up = spawn(matryoshka, ['up', '--json'], { cwd: all, env: home, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(up.stdout, 'data')) as [Buffer];
      expect(JSON.parse(line.toString().split('\n')[0] ?? '')).toMatchObject({ event: 'ready', peerId });
      expect(JSON.parse(ask('status', '--json'))).toMatchObject({ pid: up.pid, node: { peerId, connections: [] } });
      const { url } = JSON.parse(ask('dashboard', '--json')) as { readonly url: string };
      const page = await fetch(url);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      const script = / src="\.(\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1];
      expect((await fetch(new URL(script ?? '', url))).status).toBe(200);
    } finally {
      up.kill('SIGTERM');
    }
    expect(await once(up, 'exit')).toEqual([0, null]);
  });
});

function concernsCommonJs(problem: Problem): boolean {
  return 'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind);
}
