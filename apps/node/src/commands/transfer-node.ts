import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { CONFIG_VARIABLE, DATA_VARIABLE, type FolderFlags } from '../config/folders.ts';
import type { ControlClient } from '../control/client.ts';
import { clientOf, foldersOf } from '../instance.ts';
import type { NodeFlags } from '../node-flags.ts';

/** The flags that say which node does a transfer. */
export interface TransferFlags extends NodeFlags, FolderFlags {
  readonly standalone?: true;
}

/** Adds what {@link TransferFlags} has beyond the flags of a node. */
export function addTransferFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the running node')
    .option('--data <folder>', 'data folder of the running node')
    .option('--standalone', 'with a node of its own, for this once; so do all flags that describe one, such as --listen or --identity');
}

/**
 * The running node, for a transfer; undefined where the command runs one of its own: it was told to, or nothing is configured.
 * @throws CliError `control.not-running` where a node is configured and does not run
 */
export async function runningNode(flags: TransferFlags): Promise<ControlClient | undefined> {
  const { listen, dialFrom, peer, identity, networkKeyFile, grace, exitWithParent } = flags;
  const describesOwn =
    listen.length + peer.length > 0 || [dialFrom, identity, networkKeyFile, grace, exitWithParent].some((flag) => flag !== undefined);
  const named = [flags.config, flags.data, process.env[CONFIG_VARIABLE], process.env[DATA_VARIABLE]].some((name) => name !== undefined);
  if (flags.standalone === true || describesOwn || !(named || existsSync(foldersOf(flags).configFile))) return undefined;
  const client = await clientOf(flags);
  if (await client.running()) return client;
  throw new CliError(
    'control.not-running',
    'the node that is configured here does not run',
    'start it with "matryoshka up", or add --standalone',
  );
}
