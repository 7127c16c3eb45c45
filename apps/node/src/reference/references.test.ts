import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { knownNodeOptions } from '@matryoshka/node';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { configKey } from '../config/config-keys.ts';
import { createProgram } from '../program.ts';
import { REFERENCES } from './references.ts';

test.each(REFERENCES.map(({ file, text }) => ({ name: basename(file), file, text })))(
  'docs/$name says what the code does; "pnpm reference" writes it',
  async ({ file, text }) => {
    expect(readFileSync(file, 'utf8'), basename(file)).toBe(await text());
  },
);

describe('every command', async () => {
  const all = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(all)];
  const program = await createProgram();
  const commands = all(program).filter(({ commands: inner }) => inner.length === 0);

  test.each(program.commands.map((command) => command.name()))('%s is had by its name, without all others', async (name) => {
    expect((await createProgram(name)).commands.map((command) => command.name())).toEqual([name]);
  });

  test.each(commands.map((command) => [command.name(), command] as const))(
    '%s has a summary, a description, an example, and --json',
    (name, command) => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(command.summary()).toMatch(/^[a-z]/);
      expect(command.description()).toMatch(/\.$/);
      expect(help).toMatch(/\nExamples?:\n {2}\$ (?:matryoshka|source)/);
      // A script for a shell is no JSON.
      expect(
        command.options.some(({ long }) => long === '--json'),
        name,
      ).toBe(name !== 'completion');
    },
  );
});

/** Options that no file can hold: code, secrets, which are in files of their own, and what the daemon does itself. */
const NOT_DATA = new Set([
  'identity',
  'staticKey',
  'transports',
  'networkKey',
  'provider',
  'clock',
  'random',
  'relay.policy',
  'relay.accept',
  'directory.store',
  'circuits.policy',
  'circuits.guards',
]);

test('every option of a node that is data has its line in the table of keys', () => {
  const known = knownNodeOptions();
  const sections = new Set(Object.keys(known));
  const paths = Object.entries(known).flatMap(([section, names]) => names.map((name) => (section === '' ? name : `${section}.${name}`)));
  const missing = paths.filter((path) => !sections.has(path) && !NOT_DATA.has(path) && configKey(path) === undefined);
  expect(missing).toEqual([]);
});
