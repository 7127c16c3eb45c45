import { Command, CommanderError } from 'commander';
import { circuitCommand } from './commands/circuit.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { connectCommand, disconnectCommand } from './commands/connect.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exposeCommand, servicesCommand, unexposeCommand } from './commands/expose.ts';
import { forwardCommand } from './commands/forward.ts';
import { identityCommand } from './commands/identity.ts';
import { initCommand } from './commands/init.ts';
import { inviteCommand, joinCommand } from './commands/invite.ts';
import { peersCommand } from './commands/peers.ts';
import { receiveCommand } from './commands/receive.ts';
import { sendCommand } from './commands/send.ts';
import { socksCommand } from './commands/socks.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { hintOf, reportError } from './describe-error.ts';
import { Output } from './output.ts';
import { VERSION } from './version.ts';

/** All commands, in the order of the help. */
const COMMANDS: readonly (() => Command)[] = [
  initCommand,
  upCommand,
  inviteCommand,
  joinCommand,
  statusCommand,
  dashboardCommand,
  peersCommand,
  connectCommand,
  disconnectCommand,
  circuitCommand,
  sendCommand,
  receiveCommand,
  exposeCommand,
  unexposeCommand,
  servicesCommand,
  forwardCommand,
  socksCommand,
  configCommand,
  identityCommand,
  doctorCommand,
  () => completionCommand(createProgram),
];

/** Commands made apart inherit nothing by themselves: a wrong call must not end the process from within the parser. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}

/** The whole command line. */
export function createProgram(): Command {
  const program = new Command('matryoshka')
    .description('Relayed and telescoping connections between nodes.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Try --help.')
    .addHelpText('after', '\nExample:\n  $ matryoshka receive --listen 127.0.0.1:999 --into /tmp');
  for (const command of COMMANDS) program.addCommand(inherit(command(), program));
  return program;
}

/**
 * Runs the command line. Says what went wrong in one line, and with `--json` as an object too.
 * @param args - without the program's own name
 * @returns the exit code: 1 for a failure, 2 for a wrong call, 128 + signal where a signal ended it
 */
export async function run(args: readonly string[]): Promise<number> {
  const output = new Output(args.includes('--json'));
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no failures; whatever is one was said by the parser.
      if (error.exitCode === 0) return 0;
      if (output.json) output.event({ error: { code: 'usage', message: error.message } });
      return 2;
    }
    const report = reportError(error);
    output.complain(report.message, hintOf(error));
    if (output.json) output.event({ error: report });
    return 1;
  }
}
