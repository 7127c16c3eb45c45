import { Command } from 'commander';
import type { DaemonStatus } from '../daemon/status.ts';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { connectionTable } from '../screens/status-screen.ts';

/** `matryoshka peers`: the connections of the running node. */
export function peersCommand(): Command {
  return addInstanceFlags(new Command('peers'))
    .summary('whom the running node is connected to')
    .description('Lists the connections of the running node, with how each gets to its peer.')
    .addHelpText('after', '\nExample:\n  $ matryoshka peers --json')
    .action(async (flags: InstanceFlags) => {
      const connections = await (await clientOf(flags)).call<DaemonStatus['node']['connections']>('GET', '/v1/connections');
      process.stdout.write(flags.json === true ? `${JSON.stringify(connections)}\n` : connectionTable(connections));
    });
}
