import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fences } from './markdown.ts';
import { fenceFault, runFence } from './run-fence.ts';
import { ROOT, publishedPackages } from './workspace.ts';

describe('the check itself', () => {
  const check = async (code: string): Promise<string | undefined> =>
    fenceFault(code, await runFence(code, import.meta.dirname, { source: true }));

  test('takes an example that does what it says', async () => {
    expect(
      await check(
        "import { formatEndpoint, type Endpoint } from '@matryoshka/wire';\nconst e: Endpoint = { transport: 'tcp', host: '::1', port: 5 };\nconsole.log(formatEndpoint(e)); // [::1]:5\n",
      ),
    ).toBeUndefined();
  });

  test('refuses one that prints something else, fails, or promises nothing', async () => {
    expect(await check('console.log(1 + 1); // 3\n')).toContain('it printed:\n2');
    expect(await check("import { missing } from '@matryoshka/wire';\nconsole.log(missing); // 1\n")).toContain(
      'does not provide an export',
    );
    expect(await check('console.log(1);\n')).toContain('without the comment');
  });
});

test('README.md: its examples run and print what their comments say', { timeout: 120_000 }, async () => {
  const examples = fences(readFileSync(join(ROOT, 'README.md'), 'utf8')).filter(({ language }) => language === 'ts');
  expect(examples.length).toBeGreaterThan(0);
  for (const { line, code } of examples) {
    const fault = fenceFault(code, await runFence(code, join(ROOT, 'packages', 'node'), { source: true }));
    expect(fault, `the example at README.md:${line}`).toBeUndefined();
  }
});

describe.each(publishedPackages())('$path/README.md', ({ path, folder, manifest }) => {
  const file = join(folder, 'README.md');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const examples = fences(text).filter(({ language }) => language === 'ts');

  test('is there, under the name of its package', () => {
    expect(text, 'README.md is missing').not.toBe('');
    expect(text.startsWith(`# ${manifest.name}\n`)).toBe(true);
  });

  test('says first what it is for and what not, at last its layer and where more is; each entry by its name', () => {
    const [, what = '', use = ''] = text.split('\n\n');
    expect(what).toMatch(/^[\w`][^#|]{20}/);
    expect(use).toMatch(/^- \*\*Use it/);
    expect(use).toContain('\n- **Not for** ');
    const reference = text.slice(text.indexOf('\n## Reference\n'));
    expect(reference).toMatch(/\nLayer \d/);
    for (const file of ['docs/protocol.md', 'ARCHITECTURE.md']) expect(reference).toContain(`(../../${file}`);
    for (const entry of Object.keys(manifest.exports ?? {})) expect(text).toContain(`\`${manifest.name}${entry.slice(1)}\``);
  });

  test('its examples run and print what their comments say; a library has one', { timeout: 120_000 }, async () => {
    expect(examples.length).toBeGreaterThanOrEqual(path.startsWith('packages/') ? 1 : 0);
    for (const { line, code } of examples) {
      const fault = fenceFault(code, await runFence(code, folder, { source: true }));
      expect(fault, `the example at README.md:${line}`).toBeUndefined();
    }
  });
});
