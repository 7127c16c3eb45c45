import { type Connection, type PeerId, createNode, parsePeerId } from '@matryoshka/node';
import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { checked } from '../flag.ts';
import { obeyInput } from '../input-commands.ts';
import { Interruption } from '../interruption.ts';
import { keepConnected } from '../keep-connected.ts';
import { type ServingFlags, addNodeFlags, addServingFlags, nodeOptions } from '../node-flags.ts';
import { reportNode } from '../node-reporter.ts';
import { Output } from '../output.ts';
import { FileServer, checkDirectory } from '../serve-files.ts';
import { receiveThrough } from '../transfer/receive-through.ts';
import { type TransferFlags, addTransferFlags, runningNode } from './transfer-node.ts';

/** How long the sender of the one file may take to hear that it is stored, in milliseconds. */
const FAREWELL_MS = 3_000;

interface ReceiveFlags extends TransferFlags, ServingFlags {
  readonly from?: PeerId;
  readonly into?: string;
  readonly once?: true;
}

/** `matryoshka receive`: takes files that others send. */
export function receiveCommand(): Command {
  const command = new Command('receive')
    .summary('receive files')
    .description(
      'Receives files until it is interrupted: through the node that is configured, else with one of its own. No file that is there is replaced: a taken name gets a number.',
    )
    .option('--from <peerId>', 'take files from this peer only, which has to prove that it is the one', checked(parsePeerId))
    .option('--into <dir>', 'where to put them (default: where the configuration says; else here)')
    .option('--once', 'end after the first file that has arrived whole');
  return addTransferFlags(addServingFlags(addNodeFlags(command)))
    .addHelpText(
      'after',
      `
Example:
  $ matryoshka receive --listen 0.0.0.0:999 --into Downloads --once

Files that come through relays need --relay; with --no-forward this node carries nothing for others.`,
    )
    .action(receive);
}

async function receive(flags: ReceiveFlags): Promise<void> {
  const output = new Output(flags.json === true);
  using interruption = new Interruption(flags.exitWithParent === true);
  const { signal } = interruption;
  const client = await runningNode(flags);
  if (client !== undefined) {
    await receiveThrough(client, output, { into: flags.into, from: flags.from, once: flags.once === true, signal });
    if (flags.once === true && signal.aborted) process.exitCode = interruption.exitCode;
    return;
  }
  const into = flags.into ?? '.';
  await checkDirectory(into);
  // Who may send has to show who it is, so whoever does not can be refused at the handshake.
  const node = await createNode({ ...(await nodeOptions(flags, flags)), acceptAnonymous: flags.from === undefined });
  reportNode(node, output);
  const stored = Promise.withResolvers<Connection>();
  const onStored = (_file: unknown, connection: Connection): void => stored.resolve(connection);
  const enough = new AbortController();
  const files = new FileServer(node, output, {
    directory: into,
    from: flags.from && [flags.from],
    signal: AbortSignal.any([signal, enough.signal]),
    onStored,
  });
  using _input = obeyInput(() => node, output, signal);
  for (const peer of flags.peer) void keepConnected(node, peer, output, signal);
  const last = await Promise.race([flags.once === true ? stored.promise : new Promise<never>(() => {}), interruption.wait()]);
  // The receipt is on its way: who sent the file closes when it has it.
  if (last !== undefined) await Promise.race([last.closed, sleep(FAREWELL_MS, undefined, { signal, ref: false }).catch(() => {})]);
  else if (flags.once === true) process.exitCode = interruption.exitCode;
  // What else is on its way is told that nobody waits for it.
  enough.abort();
  await files.settled();
  await node.close();
}
