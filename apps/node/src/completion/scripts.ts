import type { Command } from 'commander';
import { type CompletionEntry, completionEntries } from './words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The script of a shell. It asks nobody while somebody types: all words are in it. */
export function completionScript(shell: (typeof SHELLS)[number], program: Command): string {
  const entries = completionEntries(program);
  switch (shell) {
    case 'bash':
      return bash(entries);
    case 'zsh':
      // The function of bash does for zsh what it does there.
      return `autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n${bash(entries)}`;
    case 'fish':
      return fish(entries);
  }
}

function bash(entries: readonly CompletionEntry[]): string {
  const cases = entries.map(
    ({ path, commands, flags }) => `    '${path.join(' ')}') words='${[...commands, ...flags].map(({ word }) => word).join(' ')}' ;;`,
  );
  return `_matryoshka() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$word" in -*) break ;; esac
    case "\${path:+$path }$word" in
      ${entries
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => `'${path.join(' ')}'`)
        .join(' | ')}) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _matryoshka matryoshka
`;
}

function fish(entries: readonly CompletionEntry[]): string {
  const lines = entries.flatMap(({ path, commands, flags }) => {
    const condition =
      path.length === 0 ? '__fish_use_subcommand' : path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const line = (rest: string, about: string): string =>
      `complete -c matryoshka -n '${condition}' ${rest} -d '${about.replaceAll("'", '’')}'`;
    return [
      ...commands.map(({ word, about }) => line(`-f -a ${word}`, about)),
      ...flags.map(({ word, about }) => line(word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`, about)),
    ];
  });
  return `${lines.join('\n')}\n`;
}
