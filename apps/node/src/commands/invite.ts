import { existsSync } from 'node:fs';
import { parseEndpoint } from '@matryoshka/node';
import { Command } from 'commander';
import { repeated } from '../flag.ts';
import { type InstanceFlags, addInstanceFlags, clientOf, configOf, foldersOf } from '../instance.ts';
import { interruptible } from '../interruption.ts';
import { inviteAlone } from '../network/invite-alone.ts';
import { parseInvite } from '../network/invite.ts';
import { joinNetwork } from '../network/join-network.ts';
import { setUpNode } from '../network/set-up.ts';
import { DEFAULT_LISTEN } from './init.ts';

interface InviteFlags extends InstanceFlags {
  readonly at: readonly string[];
}

interface JoinFlags extends InstanceFlags {
  readonly replace?: true;
  readonly listen: readonly string[];
  readonly relay?: true;
}

/** What the running node says of joining. */
interface JoinReport {
  readonly peerId: string;
  readonly networkChanged: boolean;
  readonly connected: boolean;
}

/** `matryoshka invite`: a line with which others join. */
export function inviteCommand(): Command {
  return addInstanceFlags(new Command('invite'))
    .summary('print a line with which others join this network')
    .description(
      'Prints one line that holds where the running node is, its peer id and the key of its network. With --at the node need not run. Whoever has the line can join: hand it on as you would a password.',
    )
    .addOption(repeated('--at <host:port>', 'where others reach this node (default: where it listens)', parseEndpoint))
    .addHelpText('after', '\nExamples:\n  $ matryoshka invite\n  $ matryoshka invite --at home.example.org:9700')
    .action(invite);
}

async function invite(flags: InviteFlags): Promise<void> {
  const client = await clientOf(flags);
  // Where nothing has to be asked, nobody has to run.
  const made =
    flags.at.length > 0 && !(await client.running())
      ? await inviteAlone((await configOf(flags)).config, flags.at)
      : await client.call<{ readonly invite: string; readonly endpoints: readonly string[] }>('POST', '/v1/invites', {
          body: { ...(flags.at.length > 0 && { at: flags.at }) },
        });
  process.stdout.write(flags.json === true ? `${JSON.stringify(made)}\n` : `${made.invite}\n`);
  if (flags.json !== true) process.stderr.write(`It leads to ${made.endpoints.join(', ')}. Others run: matryoshka join LINE\n`);
}

/** `matryoshka join`: joins the network of an invite. */
export function joinCommand(): Command {
  return addInstanceFlags(new Command('join'))
    .summary('join the network of an invite')
    .description(
      'Takes the network key of an invite and stays connected to the node that it comes from. Makes the configuration of this node first, where there is none; restarts the running node where it has to.',
    )
    .argument('<line>', 'that "matryoshka invite" has printed')
    .option('--replace', 'leave the network that this node has peers in')
    .addOption(
      repeated('--listen <host:port>', `where there is no configuration yet: where to listen (default: ${DEFAULT_LISTEN})`, parseEndpoint),
    )
    .option('--relay', 'where there is no configuration yet: relay for others')
    .addHelpText('after', '\nExample:\n  $ matryoshka join matryoshka-invite-AQAx…')
    .action((line: string, flags: JoinFlags) => interruptible((signal) => join(line, flags, signal)));
}

async function join(line: string, flags: JoinFlags, signal: AbortSignal): Promise<void> {
  const invite = parseInvite(line);
  const folders = foldersOf(flags);
  if (!existsSync(folders.configFile))
    await setUpNode(folders, {
      listen: flags.listen.length > 0 ? flags.listen : [DEFAULT_LISTEN],
      relay: flags.relay === true,
      network: 'open',
    });
  const client = await clientOf(flags);
  const running = await client.running();
  const report: JoinReport = running
    ? await client.call<JoinReport>('POST', '/v1/join', {
        body: { invite: line, replace: flags.replace === true },
        signal,
      })
    : { ...(await joinNetwork((await configOf(flags)).config, invite, flags.replace === true)), connected: false };
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ ...report, running })}\n`);
    return;
  }
  process.stdout.write(`joined the network of ${report.peerId}${report.connected ? ', and connected to it' : ''}\n`);
  if (!running) process.stderr.write('Run the node with "matryoshka up".\n');
  else if (!report.connected) process.stderr.write('It does not answer yet: the node goes on trying. See "matryoshka doctor".\n');
}
