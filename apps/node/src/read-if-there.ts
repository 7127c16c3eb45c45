import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

/** What a text file says; undefined where there is none. @throws CliError `config.unreadable` */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError('config.unreadable', `cannot read ${file}: ${(error as Error).message}`, undefined, { cause: error });
  }
}
