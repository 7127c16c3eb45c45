import { constants } from 'node:os';
import { runCommand } from './command.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The processes on the hosts go with this one, and with them the hosts.
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

process.exitCode = await runCommand(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
