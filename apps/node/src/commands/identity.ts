import { Command } from 'commander';
import { type InstanceFlags, addInstanceFlags, configOf } from '../instance.ts';
import { selfOf } from '../network/self.ts';

/** `matryoshka identity`: who the node is. */
export function identityCommand(): Command {
  return addInstanceFlags(new Command('identity'))
    .summary('who this node is')
    .description('Shows the peer id of the node and its static key, which a hidden node is called by, too. It need not run.')
    .addHelpText('after', '\nExample:\n  $ matryoshka identity --json')
    .action(async (flags: InstanceFlags) => {
      const self = await selfOf((await configOf(flags)).config);
      process.stdout.write(
        flags.json === true
          ? `${JSON.stringify(self)}\n`
          : `peer id     ${self.peerId}\nstatic key  ${self.staticKey}\nfile        ${self.file}\n`,
      );
    });
}
