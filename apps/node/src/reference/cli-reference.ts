import type { Argument, Command, Option } from 'commander';

const HEAD = `# matryoshka(1)

Every command, from its definition (\`pnpm reference\` writes this file; a test says when it is out of date). All of it is in
\`matryoshka COMMAND --help\`, too.

With \`--json\`, standard output holds JSON and nothing else; progress and complaints are on standard error. Exit codes: 0, 1 for a
failure, 2 for a wrong call, 128 + signal for what was interrupted. Folders follow the XDG Base Directory Specification; \`--config\`
and \`--data\`, or \`MATRYOSHKA_CONFIG\` and \`MATRYOSHKA_DATA\`, name others.
`;

/** The manual of the command line, in Markdown. */
export function cliReference(program: Command): string {
  return [HEAD, ...commandsOf(program).flatMap((command) => section(command, ['matryoshka']))].join('\n');
}

function commandsOf(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
}

function section(command: Command, before: readonly string[]): readonly string[] {
  const path = [...before, command.name()];
  const args = command.registeredArguments.map(argumentText).join(' ');
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');
  const inner = commandsOf(command);
  const usage = inner.length > 0 ? 'COMMAND' : [args, options.length > 0 ? '[options]' : ''].filter((part) => part !== '').join(' ');
  return [
    `## ${path.join(' ')}\n`,
    `\`${path.join(' ')} ${usage}\`\n`,
    `${command.description()}\n`,
    ...table(
      'argument',
      command.registeredArguments
        .filter(({ description }) => description !== '')
        .map((argument) => [argument.name(), argument.description]),
    ),
    ...table(
      'option',
      options.map((option) => [option.flags, optionText(option)]),
    ),
    ...examples(command),
    ...inner.flatMap((nested) => section(nested, path)),
  ];
}

function argumentText(argument: Argument): string {
  return argument.argChoices === undefined ? argument.name().toUpperCase() : argument.argChoices.join('|');
}

function optionText({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description}: ${argChoices.join(', ')}`;
}

function table(head: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(([name = '', about = '']) => `| \`${name}\` | ${about.replaceAll('|', '\\|').replaceAll('<', '\\<')} |`);
  return [`| ${head} | what |\n|---|---|\n${lines.join('\n')}\n`];
}

/** The examples of the help, and what it says after them. */
function examples(command: Command): readonly string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const text = /\n(?:Example|Examples):\n([\s\S]*)$/.exec(help)?.[1] ?? '';
  const [code = '', ...more] = text.trimEnd().split('\n\n');
  const lines = code.split('\n').map((line) => line.replace(/^ {2}(?:\$ )?/, ''));
  return code === '' ? [] : [`\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`, ...more.map((paragraph) => `${paragraph.replaceAll('\n', ' ')}\n`)];
}
