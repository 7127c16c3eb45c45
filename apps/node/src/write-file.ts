import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from './cli-error.ts';

/**
 * Writes a file that its owner alone can read: as a whole or not at all, also where the machine stops in the middle or
 * the disk is full; what was there before stays until then.
 * @throws CliError `file.unwritable` that says why
 */
export async function writeFileAtomically(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(
      'file.unwritable',
      `cannot write ${path}: ${message}`,
      code === 'ENOSPC' ? 'the disk is full: make space and try again' : undefined,
      {
        cause: error,
      },
    );
  }
}

/** The new name survives a loss of power only with its folder; where folders cannot be synchronized, they need not be. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows.
  }
}
