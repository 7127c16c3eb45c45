import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONTROL_SOCKET } from './config/app-keys.ts';
import { parseAssignment } from './config/config-layers.ts';
import { type FolderFlags, type Folders, findFolders } from './config/folders.ts';
import { type LoadedConfig, loadConfig } from './config/load-config.ts';
import { ControlClient } from './control/client.ts';

/** The flags of every command that has to do with the node of this user: which one it is, and how it speaks. */
export interface InstanceFlags extends FolderFlags {
  readonly json?: true;
}

/** `--set key=value`. */
export type Assignment = ReturnType<typeof parseAssignment>;

/** Adds the flags of {@link InstanceFlags}. */
export function addInstanceFlags(command: Command): Command {
  return command
    .option('--config <file>', 'its configuration (default: $XDG_CONFIG_HOME/matryoshka/config.toml)')
    .option('--data <folder>', 'its keys, state and control socket (default: $XDG_DATA_HOME/matryoshka)')
    .option('--json', 'JSON on standard output, and nothing else there');
}

/** Adds `--set`, for commands that read the configuration themselves. */
export function addSetFlag(command: Command): Command {
  return command.addOption(
    new Option('--set <key=value>', 'any key of the configuration, e.g. --set relay.enabled=true; may be repeated')
      .default([], 'none')
      .argParser((value, before: readonly Assignment[]) => {
        try {
          return [...before, parseAssignment(value)];
        } catch (error) {
          throw new InvalidArgumentError((error as Error).message);
        }
      }),
  );
}

/** The folders that the flags and the environment name. */
export function foldersOf(flags: FolderFlags): Folders {
  return findFolders(flags, process.env);
}

/** The configuration of the node, as its owner would start it. @throws CliError `config.…` */
export function configOf(flags: FolderFlags, assignments: readonly Assignment[] = []): Promise<LoadedConfig> {
  return loadConfig({
    folders: foldersOf(flags),
    environment: process.env,
    flags: assignments.map((assignment) => ({ ...assignment, flag: `--set ${assignment.path}` })),
    fileNeeded: flags.config !== undefined,
    ephemeral: false,
  });
}

/** The running node that the flags name. @throws CliError `config.…` */
export async function clientOf(flags: FolderFlags): Promise<ControlClient> {
  const { config } = await configOf(flags);
  return new ControlClient(config.get(CONTROL_SOCKET), config.folders.data);
}
