import { Command } from 'commander';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { Output } from '../output.ts';

/** `matryoshka dashboard`: where a browser finds the page that shows the running node. */
export function dashboardCommand(): Command {
  return addInstanceFlags(new Command('dashboard'))
    .summary('the address of a page that shows the running node')
    .description(
      'Prints the address of a page that shows the running node, for a browser on this machine: connections, relay links and circuits as they change. Whoever has the address can do with the node what its owner can. The port is a free one, unless control.listen in the configuration says which.',
    )
    .addHelpText('after', '\nExample:\n  $ matryoshka dashboard')
    .action(dashboard);
}

async function dashboard(flags: InstanceFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const address = await (await clientOf(flags)).call<{ readonly url: string; readonly built: boolean }>('POST', '/v1/dashboard');
  process.stdout.write(flags.json === true ? `${JSON.stringify(address)}\n` : `${address.url}\n`);
  if (!address.built) output.complain('the page itself is not built', 'in a clone of the repository: npx -y pnpm@12 dashboard');
}
