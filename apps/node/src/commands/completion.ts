import { Argument, Command } from 'commander';
import { SHELLS, completionScript } from '../completion/scripts.ts';

/** `matryoshka completion`: a script that completes commands and flags. */
export function completionCommand(program: () => Promise<Command>): Command {
  return new Command('completion')
    .summary('print a script that completes commands and flags in a shell')
    .description('Prints a script for your shell. It knows commands and flags; where a flag takes a file, the shell completes that.')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(matryoshka completion bash)
  $ matryoshka completion fish > ~/.config/fish/completions/matryoshka.fish`,
    )
    .action(async (shell: (typeof SHELLS)[number]) => {
      process.stdout.write(completionScript(shell, await program()));
    });
}
