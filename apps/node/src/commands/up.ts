import { createNode } from '@matryoshka/node';
import { Command } from 'commander';
import { obeyInput } from '../input-commands.ts';
import { Interruption } from '../interruption.ts';
import { keepConnected } from '../keep-connected.ts';
import { type NodeFlags, type ServingFlags, addNodeFlags, addServingFlags, nodeOptions } from '../node-flags.ts';
import { reportAccepted, reportNode } from '../node-reporter.ts';
import { Output } from '../output.ts';
import { FileServer, checkDirectory } from '../serve-files.ts';

interface UpFlags extends NodeFlags, ServingFlags {
  readonly into?: string;
}

/** `matryoshka up`: runs a node until it is told to stop. */
export function upCommand(): Command {
  const command = new Command('up')
    .summary('run a node')
    .description('Runs a node until it is interrupted: a relay for others, and a receiver of files with --into.');
  addServingFlags(addNodeFlags(command)).option('--into <dir>', 'also receive files into this directory');
  return command
    .addHelpText(
      'after',
      `
Example:
  $ matryoshka up --listen 0.0.0.0:999 --relay --identity node.key

With --json, a line "status" on standard input is answered by a status event, and "connect peerId@host:port" connects.`,
    )
    .action(up);
}

async function up(flags: UpFlags): Promise<void> {
  const output = new Output(flags.json === true);
  using interruption = new Interruption(flags.exitWithParent === true);
  const { signal } = interruption;
  if (flags.into !== undefined) await checkDirectory(flags.into);
  const options = await nodeOptions(flags, flags);
  const accept = (request: Parameters<typeof reportAccepted>[1]): boolean => {
    reportAccepted(output, request);
    return true;
  };
  const node = await createNode({ ...options, relay: { ...options.relay, accept } });
  reportNode(node, output);
  const files = flags.into === undefined ? undefined : new FileServer(node, output, { directory: flags.into, signal });
  using _input = obeyInput(node, output, signal);
  for (const peer of flags.peer) void keepConnected(node, peer, output, signal);
  await interruption.wait();
  await files?.settled();
  await node.close();
}
