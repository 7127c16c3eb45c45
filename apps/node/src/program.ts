import { Command, CommanderError } from 'commander';
import { hintOf, reportError } from './describe-error.ts';
import { Output } from './output.ts';
import { VERSION } from './version.ts';

/** All commands, in the order of the help. What one of them needs is loaded with it: most need little. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./commands/init.ts')).initCommand(),
  up: async () => (await import('./commands/up.ts')).upCommand(),
  invite: async () => (await import('./commands/invite.ts')).inviteCommand(),
  join: async () => (await import('./commands/invite.ts')).joinCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  dashboard: async () => (await import('./commands/dashboard.ts')).dashboardCommand(),
  peers: async () => (await import('./commands/peers.ts')).peersCommand(),
  connect: async () => (await import('./commands/connect.ts')).connectCommand(),
  disconnect: async () => (await import('./commands/connect.ts')).disconnectCommand(),
  circuit: async () => (await import('./commands/circuit.ts')).circuitCommand(),
  send: async () => (await import('./commands/send.ts')).sendCommand(),
  receive: async () => (await import('./commands/receive.ts')).receiveCommand(),
  expose: async () => (await import('./commands/expose.ts')).exposeCommand(),
  unexpose: async () => (await import('./commands/expose.ts')).unexposeCommand(),
  services: async () => (await import('./commands/expose.ts')).servicesCommand(),
  forward: async () => (await import('./commands/forward.ts')).forwardCommand(),
  socks: async () => (await import('./commands/socks.ts')).socksCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  identity: async () => (await import('./commands/identity.ts')).identityCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand(createProgram),
};

/** Commands made apart inherit nothing by themselves: a wrong call must not end the process from within the parser. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}

/**
 * The command line.
 * @param word - the first one of a call: of all commands, the program then has no more than that needs
 */
export async function createProgram(word: string = ''): Promise<Command> {
  const program = new Command('matryoshka')
    .description('Relayed and telescoping connections between nodes.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Try --help.')
    .addHelpText('after', '\nExample:\n  $ matryoshka receive --listen 127.0.0.1:999 --into /tmp');
  const called = Object.hasOwn(COMMANDS, word) ? [COMMANDS[word] as () => Promise<Command>] : Object.values(COMMANDS);
  const commands = await Promise.all((word === '--version' ? [] : called).map((load) => load()));
  for (const command of commands) program.addCommand(inherit(command, program));
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
    const program = await createProgram(args[0]);
    await program.parseAsync([...args], { from: 'user' });
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
