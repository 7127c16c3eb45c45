import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fences } from './markdown.ts';
import { toolEnvironment } from './pnpm.ts';
import { fenceFault, runFence } from './run-fence.ts';
import { ROOT } from './workspace.ts';

// A tutorial is one program, told in pieces: they run together, in their order, as a user of the node would run them. Those of
// the command line run in tooling/netlab.
const FOLDER = join(ROOT, 'packages', 'node');
const INDEX = 'docs/tutorials/README.md';
const paths = globSync('docs/tutorials/*.md', { cwd: ROOT }).toSorted();

/** The code of a tutorial, piece by piece. */
function pieces(path: string): readonly string[] {
  return fences(readFileSync(join(ROOT, path), 'utf8'))
    .filter(({ language }) => language === 'ts')
    .map(({ code }) => code);
}

const programs = new Map(paths.map((path) => [path, pieces(path).join('\n')] as const).filter(([, program]) => program !== ''));

describe('tutorials', { concurrent: true }, () => {
  test.for([...programs])('%s: its code runs, and prints what its comments say', { timeout: 120_000 }, async ([, program], { expect }) => {
    expect(fenceFault(program, await runFence(program, FOLDER, { source: true }))).toBeUndefined();
  });

  test('their code has no type errors', { timeout: 120_000 }, async ({ expect }) => {
    // From where its imports resolve.
    const folder = join(FOLDER, '.tutorials');
    mkdirSync(folder, { recursive: true });
    try {
      for (const [path, program] of programs) writeFileSync(join(folder, `${basename(path, '.md')}.ts`), program);
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../../tsconfig.test.json', include: ['*.ts'] }));
      const faults = await promisify(execFile)('tsc', ['-p', folder], { env: toolEnvironment() }).then(
        () => '',
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
      expect(faults).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test('the index names all of them', () => {
  const index = readFileSync(join(ROOT, INDEX), 'utf8');
  const named = [...index.matchAll(/\]\(([\w-]+\.md)\)/g)].map((match) => match[1] as string).toSorted();
  expect([...new Set(named)]).toEqual(paths.filter((path) => path !== INDEX).map((path) => basename(path)));
});

describe.each([
  ['write-a-routing-policy.md', 'selectNextHop'],
  ['write-a-path-policy.md', 'selectPath'],
])('%s', (file, method) => {
  test('writes one in less than 30 lines', () => {
    const policy = pieces(`docs/tutorials/${file}`).find((code) => code.includes(`${method}(request`));
    expect(policy?.trimEnd().split('\n').length).toBeLessThan(30);
  });
});
