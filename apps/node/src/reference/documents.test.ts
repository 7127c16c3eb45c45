import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { controlRoutes } from '../control/routes.ts';
import { createProgram } from '../program.ts';

// Every line of a document that calls the command line is one that it takes. Those of the README and the tutorials are run, too
// (tooling/netlab).

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const DOCUMENTS = ['*.md', 'docs/**/*.md', 'apps/*/README.md', 'packages/*/README.md'];
/** What placeholders stand for. */
const PEER = 'mtk1alfp9n6ajzd2k3r4l7ak690celgz59pq4znrqet0dqmj2zf4xzgq5kjkzm';

/** The calls in a document's fences of `sh`, word by word. */
function calls(markdown: string): readonly (readonly string[])[] {
  const fences = [...markdown.matchAll(/^```sh\b.*\n([\s\S]*?)^```$/gm)].map((match) => (match[1] as string).replaceAll('\\\n', ' '));
  const commands = fences
    .flatMap((code) => code.split('\n'))
    .flatMap((line) => line.replace(/(?:^| +)# .*$/, '').split(/ && | &$|[<(]+(?=matryoshka)/));
  return commands.filter((command) => /^\s*matryoshka /.test(command)).map(words);
}

function words(command: string): readonly string[] {
  const [text = ''] = command.replaceAll(/mtk1…[\w-]*/g, PEER).split(/ (?:\d?>|\|) ?|\)$/);
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
    .map((match) => match.slice(1).find((word) => word !== undefined) as string)
    .slice(1);
}

/** What the command line has against a call; undefined: nothing. */
async function complaint(args: readonly string[]): Promise<string | undefined> {
  const program = await createProgram();
  const idle = (command: Command): void => {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    for (const inner of command.commands) idle(inner);
  };
  idle(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    return `matryoshka ${args.join(' ')}: ${(error as Error).message}`;
  }
}

const documents = DOCUMENTS.flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
  .map((path) => [path, calls(readFileSync(join(ROOT, path), 'utf8'))] as const)
  .filter(([, all]) => all.length > 0);

test.each(documents)('%s: calls the command line as it can be called', async (_path, all) => {
  const complaints = await Promise.all(all.map(complaint));
  expect(complaints.filter((each) => each !== undefined)).toEqual([]);
});

test('README.md: asks the control API for what it answers', () => {
  const readme = readFileSync(join(ROOT, 'apps', 'node', 'README.md'), 'utf8');
  const asked = [...readme.matchAll(/^curl --unix-socket \S+ http:\/\/localhost(\/\S+)$/gm)].map((match) => match[1]);
  expect(asked.length).toBeGreaterThan(1);
  const answered = new Set(controlRoutes().map(({ path }) => path));
  expect(asked.filter((path) => path === undefined || !answered.has(path))).toEqual([]);
});

test('the check itself refuses what there is not', async () => {
  const [known, unknown, flag, few] = calls(
    '```sh\nmatryoshka up & # why\nmatryoshka fly\nmatryoshka up --wings && ls\nmatryoshka join\n```\n',
  );
  expect(await Promise.all([known, unknown, flag, few].map((args) => complaint(args as readonly string[])))).toEqual([
    undefined,
    expect.stringContaining('unknown command'),
    expect.stringContaining('unknown option'),
    expect.stringContaining('missing required argument'),
  ]);
  expect(documents.map(([path]) => path)).toContain('apps/node/README.md');
});
