import { parseEndpoint } from '@matryoshka/node';
import { Command } from 'commander';
import type { FolderFlags } from '../config/folders.ts';
import { checked, repeated } from '../flag.ts';
import { type InstanceFlags, addInstanceFlags, configOf, foldersOf } from '../instance.ts';
import { interruptible } from '../interruption.ts';
import { selfOf } from '../network/self.ts';
import { type SetUp, setUpNode } from '../network/set-up.ts';
import { canAsk, withPrompt } from '../prompt.ts';

/** Where a node listens if nobody says otherwise. */
export const DEFAULT_LISTEN = '0.0.0.0:9700';

interface InitFlags extends InstanceFlags {
  readonly yes?: true;
  readonly listen: readonly string[];
  readonly relay?: boolean;
  readonly open?: true;
}

/** `matryoshka init`: makes the configuration and the identity of a node. */
export function initCommand(): Command {
  return addInstanceFlags(new Command('init'))
    .summary('make the configuration and the identity of a node')
    .description(
      'Makes a configuration, an identity, and the key of a network of its own. Asks where to listen and whether to relay, if nobody has said so. Keys that are there stay.',
    )
    .addOption(repeated('--listen <host:port>', `where others reach this node (default: ${DEFAULT_LISTEN})`, parseEndpoint))
    .option('--relay', 'relay for others')
    .option('--no-relay', 'do not (default)')
    .option('--open', 'no network key: whoever knows the address may connect')
    .option('-y, --yes', 'ask nothing')
    .addHelpText('after', '\nExamples:\n  $ matryoshka init\n  $ matryoshka init --yes --listen 0.0.0.0:9700 --relay')
    .action(init);
}

async function init(flags: InitFlags): Promise<void> {
  await interruptible(async (signal) => {
    await setUpNode(foldersOf(flags), await answers(flags, signal));
    await tell(flags, flags.json === true);
  });
}

async function answers({ yes, listen, relay, open, json }: InitFlags, signal: AbortSignal): Promise<SetUp> {
  const network = open === true ? 'open' : 'new';
  if (yes === true || json === true || !canAsk() || (listen.length > 0 && relay !== undefined))
    return { listen: listen.length > 0 ? listen : [DEFAULT_LISTEN], relay: relay === true, network };
  return withPrompt(signal, async (prompt) => ({
    listen: listen.length > 0 ? listen : [checked(parseEndpoint)(await prompt.text('Where shall others reach this node?', DEFAULT_LISTEN))],
    relay: relay ?? (await prompt.yes('Shall it relay for others?')),
    network,
  }));
}

async function tell(flags: FolderFlags, json: boolean): Promise<void> {
  const { config } = await configOf(flags);
  const { peerId } = await selfOf(config);
  const { configFile, data } = config.folders;
  if (json) {
    process.stdout.write(`${JSON.stringify({ peerId, configFile, dataFolder: data })}\n`);
    return;
  }
  process.stdout.write(`peer id        ${peerId}\nconfiguration  ${configFile}\ndata folder    ${data}\n`);
  process.stderr.write('Run the node with "matryoshka up"; "matryoshka invite" prints a line with which others join its network.\n');
}
