import { mkdir, stat } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';

/**
 * Makes the data folder if it is missing, for its owner only.
 * @throws CliError `daemon.folder` where it cannot be used, `daemon.folder-exposed` where others could change what is in it
 */
export async function prepareDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const stats = await stat(path);
    if (process.platform !== 'win32' && (stats.mode & 0o022) !== 0)
      throw new CliError('daemon.folder-exposed', `others than its owner can change the data folder ${path}`, `run: chmod go-w ${path}`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : message;
    throw new CliError('daemon.folder', `cannot use the data folder ${path}: ${why}`, 'name another one with --data', { cause: error });
  }
}
