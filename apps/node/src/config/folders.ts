import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Where a node keeps what is its own. */
export interface Folders {
  /** The file it is configured by. */
  readonly configFile: string;
  /** Keys, state, the lock and the control socket; one running node each. */
  readonly data: string;
}

/** Which folders a command was told to use; what is left out comes from the environment, then from the XDG standard. */
export interface FolderFlags {
  readonly config?: string;
  readonly data?: string;
}

/** The environment variables that name folders: they are none of the configuration that is in them. */
export const CONFIG_VARIABLE = 'MATRYOSHKA_CONFIG';
export const DATA_VARIABLE = 'MATRYOSHKA_DATA';

/**
 * The folders of the XDG Base Directory Specification: `$XDG_CONFIG_HOME/matryoshka/config.toml` and
 * `$XDG_DATA_HOME/matryoshka`. A data folder that was named brings its own `config.toml`, where there is no other.
 */
export function findFolders(flags: FolderFlags, environment: NodeJS.ProcessEnv): Folders {
  const data = flags.data ?? nonEmpty(environment[DATA_VARIABLE]);
  const config = flags.config ?? nonEmpty(environment[CONFIG_VARIABLE]);
  return {
    data: resolve(data ?? join(base(environment.XDG_DATA_HOME, '.local', 'share'), 'matryoshka')),
    configFile: resolve(
      config ??
        (data === undefined ? join(base(environment.XDG_CONFIG_HOME, '.config'), 'matryoshka', 'config.toml') : join(data, 'config.toml')),
    ),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** The standard has relative paths ignored. */
function base(path: string | undefined, ...fallback: readonly string[]): string {
  return path !== undefined && isAbsolute(path) ? path : join(homedir(), ...fallback);
}
