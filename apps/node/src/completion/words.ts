import type { Command } from 'commander';

/** A command, and what may follow it. */
export interface CompletionEntry {
  /** The words up to it, without the program: none for the program itself. */
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly flags: readonly Word[];
}

export interface Word {
  readonly word: string;
  readonly about: string;
}

/** What may follow each command, from the definitions of all of them. */
export function completionEntries(command: Command, path: readonly string[] = []): readonly CompletionEntry[] {
  const visible = command.createHelp();
  const commands = visible.visibleCommands(command).filter((inner) => inner.name() !== 'help');
  const flags = visible
    .visibleOptions(command)
    .flatMap(({ long, short, description }) =>
      [long, short].filter((word) => word !== undefined && word !== null).map((word) => ({ word, about: firstClause(description) })),
    );
  const entry = { path, commands: commands.map((inner) => ({ word: inner.name(), about: inner.summary() })), flags };
  return [entry, ...commands.flatMap((inner) => completionEntries(inner, [...path, inner.name()]))];
}

/** Up to the first comma or bracket: menus are narrow. */
function firstClause(text: string): string {
  return (/^[^,;(:]+/.exec(text)?.[0] ?? text).trim();
}
