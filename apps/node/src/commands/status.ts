import { Command } from 'commander';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { Interruption } from '../interruption.ts';
import { statusScreen } from '../screens/status-screen.ts';
import type { DaemonStatus } from '../daemon/status.ts';

/** How often `--watch` asks, in milliseconds. */
const WATCH_INTERVAL_MS = 1_000;
const CLEAR_SCREEN = '\u001B[2J\u001B[H';

interface StatusFlags extends InstanceFlags {
  readonly watch?: true;
}

/** `matryoshka status`: what the running node knows of itself. */
export function statusCommand(): Command {
  return addInstanceFlags(new Command('status'))
    .summary('what the running node does')
    .description('Shows what the running node knows of itself: connections, relay links, files, services.')
    .option('--watch', 'again every second, until it is interrupted')
    .addHelpText('after', '\nExample:\n  $ matryoshka status --watch')
    .action(status);
}

async function status(flags: StatusFlags): Promise<void> {
  const client = await clientOf(flags);
  using interruption = new Interruption(false);
  let before: DaemonStatus | undefined;
  while (!interruption.signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    const now = await client.call<DaemonStatus>('GET', '/v1/status');
    if (flags.json === true) process.stdout.write(`${JSON.stringify(now)}\n`);
    else process.stdout.write(`${flags.watch === true && process.stdout.isTTY ? CLEAR_SCREEN : ''}${statusScreen(now, before)}`);
    if (flags.watch !== true) return;
    before = now;
    // oxlint-disable-next-line no-await-in-loop
    await Promise.race([new Promise((resolve) => setTimeout(resolve, WATCH_INTERVAL_MS)), interruption.wait()]);
  }
}
