import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';
import { NETWORK_KEY_FILE } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { selfOf } from '../network/self.ts';
import { formatBytes } from '../quantities.ts';
import { readNetworkKey } from '../secret-file.ts';
import { type Finding, fail, ok, warn } from './check.ts';

/** Less is too little for state and a few files, in bytes. */
const MIN_FREE_BYTES: number = 64 * 1024 * 1024;

/** The data folder and the keys in it. */
export async function lookAtFiles(config: Config): Promise<readonly Finding[]> {
  const { data } = config.folders;
  return [await lookAtFolder(data), await lookAtSpace(data), await lookAtIdentity(config), await lookAtNetworkKey(config)].filter(
    (finding) => finding !== undefined,
  );
}

async function lookAtFolder(data: string): Promise<Finding> {
  try {
    const { mode } = await stat(data);
    await access(data, constants.W_OK | constants.X_OK);
    if (process.platform !== 'win32' && (mode & 0o022) !== 0)
      return fail('data folder', `others than its owner can change ${data}`, `run: chmod go-w ${data}`);
    return ok('data folder', data);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return fail('data folder', `${data} is missing`, 'run: matryoshka init');
    return fail(
      'data folder',
      `${data} cannot be used: ${message}`,
      'run this as the user that the node runs as, or name another folder with --data',
    );
  }
}

async function lookAtSpace(data: string): Promise<Finding | undefined> {
  try {
    const { bavail, bsize } = await statfs(data);
    const free = bavail * bsize;
    return free < MIN_FREE_BYTES
      ? warn('disk', `${formatBytes(free)} are free where the data folder is`, 'make space: files that come in end where the disk does')
      : ok('disk', `${formatBytes(free)} are free where the data folder is`);
  } catch {
    // The folder has its own finding.
    return undefined;
  }
}

async function lookAtIdentity(config: Config): Promise<Finding> {
  try {
    return ok('identity', (await selfOf(config)).peerId);
  } catch (error) {
    return failure('identity', error);
  }
}

async function lookAtNetworkKey(config: Config): Promise<Finding> {
  const { value, origin } = config.setting(NETWORK_KEY_FILE);
  const file = value as string;
  try {
    const key = origin.kind === 'default' ? await readNetworkKey(file, { mayBeMissing: true }) : await readNetworkKey(file);
    return key === undefined
      ? warn(
          'network',
          'it is an open one: whoever knows the address may connect',
          'a closed one has a key that all its nodes know, see "matryoshka invite"',
        )
      : ok('network', `a closed one, with its key in ${file}`);
  } catch (error) {
    return failure('network', error);
  }
}

/** What was thrown, as a finding. */
export function failure(name: string, error: unknown): Finding {
  return fail(name, error instanceof Error ? error.message : String(error), error instanceof CliError ? error.hint : undefined);
}
