import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchors, linkFault, linkTargets } from './links.ts';
import { ROOT, repositoryFiles } from './workspace.ts';

const files = repositoryFiles();
const documents = files.filter((path) => path.endsWith('.md'));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('links', () => {
  test('there are documents, and links in them', () => {
    expect(documents.length).toBeGreaterThan(50);
    expect(documents.flatMap((path) => linkTargets(read(path))).length).toBeGreaterThan(30);
  });

  test.each(documents)('%s: each link to a file or heading of the repository leads there', (path) => {
    const faults = linkTargets(read(path)).map((target) => linkFault(ROOT, path, target));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  // `session/records.ts` of a package, `daemon/daemon.ts` of the node on the command line, `guard.ts` where the place is clear.
  const isThere = (name: string): boolean => {
    if (/^(?:apps|docs|packages|tooling)\//.test(name))
      return name.includes('*') ? globSync(name, { cwd: ROOT }).length > 0 : existsSync(join(ROOT, name));
    const [folder = '', ...rest] = name.split('/');
    if (rest.length === 0) return files.some((path) => basename(path) === name);
    return [`packages/${folder}/src/${rest.join('/')}`, `apps/node/src/${name}`].some((path) => files.includes(path));
  };
  const names = [...read('ARCHITECTURE.md').matchAll(/`([\w/*.-]+)`/g)]
    .map((match) => match[1] as string)
    .filter((name) => name.endsWith('.ts') || /^(?:apps|docs|packages|tooling)\//.test(name))
    .filter((name) => !name.startsWith('*'));

  test('names files and folders that are there', () => {
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !isThere(name))).toEqual([]);
  });

  test.each(['session/records.ts', 'daemon/daemon.ts', 'egress.ts', 'packages/node/test', 'docs/decisions'])(
    '%s would be found',
    (name) => {
      expect(isThere(name)).toBe(true);
    },
  );

  test.each(['session/nothing.ts', 'peer/records.ts', 'nothing.ts', 'packages/nothing', 'tooling/*/nothing'])('%s would not', (name) => {
    expect(isThere(name)).toBe(false);
  });
});

describe('the check itself', () => {
  test('knows links from what only looks like one', () => {
    const text =
      '[a](b.md) ![p](c.png "t")\n`[x](y)`\n```sh\n[n](o)\n```\n[r]: d.md#e\n[^1]: note\n<!-- [c](h.md) -->\n[two](f.md), [three](g/)';
    expect(linkTargets(text)).toEqual(['b.md', 'c.png', 'f.md', 'g/', 'd.md#e']);
  });

  test('makes anchors as GitHub does', () => {
    expect([...anchors('# One idea\n\n## `up`: how? (R9)\n\n### One idea\n\n```\n# no\n```\n')]).toEqual([
      'one-idea',
      'up-how-r9',
      'one-idea-1',
    ]);
  });

  test.each([
    ['README.md', 'nothing.md', 'is not there'],
    ['README.md', '#nothing', 'no such heading'],
    ['README.md', 'docs/protocol.md#nothing', 'no such heading'],
    ['README.md', '../elsewhere', 'leads out'],
    ['README.md', '/README.md', 'leads out'],
    ['README.md', 'docs#heading', 'is a folder'],
  ])('finds in %s that %s %s', (document, target, fault) => {
    expect(linkFault(ROOT, document, target)).toContain(fault);
  });

  test.each(['https://example.org/x', 'mailto:a@example.org', 'docs', 'docs/protocol.md', 'ARCHITECTURE.md#one-idea'])(
    'takes %s',
    (target) => {
      expect(linkFault(ROOT, 'README.md', target)).toBeUndefined();
    },
  );
});
