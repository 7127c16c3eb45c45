import { environmentLayer, fileLayer, flagLayer } from './config-layers.ts';
import { Config, type Setting } from './config.ts';
import { CliError } from '../cli-error.ts';
import type { Folders } from './folders.ts';
import { joinedPeersFile, readJoinedPeers } from './joined-peers.ts';

/** What a configuration is made of: defaults, file, environment, flags; each wins over those before. */
export interface ConfigSources {
  readonly folders: Folders;
  readonly environment: NodeJS.ProcessEnv;
  readonly flags: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[];
  /** Whether the file has to be there, since it was named. */
  readonly fileNeeded: boolean;
  /** Without files: for a node that keeps nothing. */
  readonly ephemeral: boolean;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Variables of the environment that look like ours and are not. */
  readonly unknownVariables: readonly string[];
}

/** @throws CliError `config.invalid` that names every problem with its place, `config.unreadable`, `config.missing` */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { folders, ephemeral } = sources;
  const file = ephemeral ? undefined : await fileLayer(folders.configFile);
  if (file === undefined && sources.fileNeeded)
    throw new CliError('config.missing', `there is no configuration at ${folders.configFile}`, 'matryoshka init makes one');
  const environment = environmentLayer(sources.environment);
  const layers = [...(file === undefined ? [] : [file]), environment, flagLayer(sources.flags)];
  const settings = layers.flatMap((layer) => layer.settings);
  if (!ephemeral) settings.push(...(await joinedPeers(folders, settings)));
  const problems = layers.flatMap((layer) => layer.problems);
  return { config: new Config(folders, settings, problems), unknownVariables: environment.unknown };
}

/** Peers that were joined come to those of the configuration. */
async function joinedPeers({ data }: Folders, settings: readonly Setting[]): Promise<readonly Setting[]> {
  const joined = await readJoinedPeers(data);
  if (joined.length === 0) return [];
  const configured = settings.findLast(({ path }) => path === 'peers')?.value;
  const value = [...new Set([...(Array.isArray(configured) ? (configured as string[]) : []), ...joined])];
  return [{ path: 'peers', value, origin: { kind: 'joined', file: joinedPeersFile(data) } }];
}
