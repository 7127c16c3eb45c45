import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Fence, fences } from './markdown.ts';
import { ROOT, publishedPackages, readJson, repositoryFiles } from './workspace.ts';

// Whatever code stands in a document is run by a test, as far as it can be: there is no fence that nobody looks at.

/** Fences of these run: readme.test.ts, tutorials.test.ts. */
const RUN_AS_PROGRAMS = ['README.md', 'packages/*/README.md', 'docs/tutorials/*.md'];
/** What is typed there on machines is: tooling/netlab/test/walkthroughs.alone.e2e.test.ts. */
const TYPED_ON_MACHINES = ['README.md', 'docs/tutorials/*.md'];
/** Calls of the command line are checked by its parser: apps/node/src/reference/documents.test.ts. */
const CALLS_CHECKED = ['docs/cli.md', 'apps/node/README.md'];
/** Those whose code is for whoever works on this repository's tools. */
const ELSEWHERE = ['.changeset/*', 'tooling/**'];

/** Commands of pnpm itself. */
const OF_PNPM = new Set(['exec', 'install']);
const scripts = new Set(Object.keys(readJson<{ readonly scripts: Readonly<Record<string, string>> }>('package.json').scripts));
const published = new Set(publishedPackages().map(({ manifest }) => manifest.name));

const isOf = (path: string, patterns: readonly string[]): boolean => patterns.some((pattern) => matchesGlob(path, pattern));

/** What is wrong with a fence; undefined: it is run, checked, or no code. */
function faultOf(path: string, { language, code }: Fence): string | undefined {
  if (language === 'text') return undefined;
  if (language === 'ts') return isOf(path, RUN_AS_PROGRAMS) ? undefined : 'nothing runs the programs of this document';
  if (language !== 'sh') return `no test runs ${language === '' ? 'a fence without a language: text, if it is no code' : language}`;
  if (/^# on [\w-]+\b/.test(code)) return isOf(path, TYPED_ON_MACHINES) ? undefined : 'nobody types what is to be typed on machines here';
  const lines = code.split('\n').map((line) => line.replace(/(?:^| +)# .*$/, ''));
  return lines.map((line) => lineFault(path, line)).find((fault) => fault !== undefined);
}

function lineFault(path: string, line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const [, packages] = /^npm install (?:--global |--save-dev )?(.+)$/.exec(line) ?? [];
  if (packages !== undefined) {
    const unknown = packages.split(' ').filter((name) => !published.has(name));
    return unknown.length === 0 ? undefined : `no package of this repository: ${unknown.join(' ')}`;
  }
  const [, script] = /^npx -y pnpm@12 (?:--silent )?(\S+)/.exec(line) ?? [];
  if (script !== undefined) return scripts.has(script) || OF_PNPM.has(script) ? undefined : `no script ${script}`;
  if (isOf(path, CALLS_CHECKED) && /^(?:matryoshka|curl|source) /.test(line)) return undefined;
  return `nothing runs ${JSON.stringify(line)}; say on which machine it is typed: # on MACHINE`;
}

const documents = repositoryFiles().filter((path) => path.endsWith('.md') && !isOf(path, ELSEWHERE));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test.each(documents)('%s: everything in its fences is run, checked, or text', (path) => {
  const faults = fences(read(path)).map((fence) => ({ line: fence.line, fault: faultOf(path, fence) }));
  expect(faults.filter(({ fault }) => fault !== undefined)).toEqual([]);
});

test.each(documents.filter((path) => isOf(path, ['docs/tutorials/*.md'])))('%s: what its program imports is installed before', (path) => {
  const all = fences(read(path));
  const installs = all.flatMap(({ language, code }) => (language === 'sh' ? [...code.matchAll(/^npm install (?!--global)(.*)$/gm)] : []));
  const imported = all.flatMap(({ language, code }) => (language === 'ts' ? [...code.matchAll(/from '(@matryoshka\/\w+)/g)] : []));
  const named = new Set(installs.flatMap((match) => (match[1] as string).split(' ')));
  if (installs.length > 0) expect(imported.map((match) => match[1] as string).filter((name) => !named.has(name))).toEqual([]);
});

describe('the check itself', () => {
  const fault = (path: string, language: string, code: string): string | undefined => faultOf(path, { language, code, info: '', line: 1 });

  test('finds what nobody runs', () => {
    expect(fault('README.md', 'sh', 'matryoshka up\n')).toContain('nothing runs "matryoshka up"');
    expect(fault('docs/limits.md', 'sh', '# on home\nmatryoshka up\n')).toContain('nobody types');
    expect(fault('docs/limits.md', 'ts', 'f();\n')).toContain('nothing runs the programs');
    expect(fault('README.md', 'json', '{}\n')).toContain('no test runs json');
    expect(fault('README.md', '', 'x\n')).toContain('without a language');
    expect(fault('README.md', 'sh', 'npx -y pnpm@12 fly\n')).toContain('no script fly');
    expect(fault('README.md', 'sh', 'npm install left-pad\n')).toContain('left-pad');
  });

  test('takes what is', () => {
    expect(fault('README.md', 'sh', '# on home\nmatryoshka up &\n')).toBeUndefined();
    expect(fault('README.md', 'sh', 'npx -y pnpm@12 --silent bench  # all\nnpm install @matryoshka/node\n')).toBeUndefined();
    expect(fault('docs/cli.md', 'sh', 'matryoshka up\n')).toBeUndefined();
  });
});
