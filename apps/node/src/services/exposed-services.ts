import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { writeFileAtomically } from '../write-file.ts';
import { type ServiceEntry, servicesShape } from './service-options.ts';

// Services that were exposed by command. The configuration is its owner's to write; what commands learn is kept beside it.

/** The file in the data folder. */
export function exposedServicesFile(data: string): string {
  return join(data, 'services.json');
}

/** @throws CliError `config.unreadable`, `config.invalid` */
export async function readExposedServices(data: string): Promise<readonly ServiceEntry[]> {
  const file = exposedServicesFile(data);
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new CliError('config.unreadable', `cannot read ${file}: ${(error as Error).message}`, undefined, { cause: error });
  }
  try {
    return servicesShape.parse(JSON.parse(content));
  } catch (error) {
    throw new CliError('config.invalid', `${file} is damaged: ${(error as Error).message}`, 'remove it, and expose the services again', {
      cause: error,
    });
  }
}

/** @throws CliError `file.unwritable` */
export async function writeExposedServices(data: string, services: readonly ServiceEntry[]): Promise<void> {
  await writeFileAtomically(exposedServicesFile(data), `${JSON.stringify(services, undefined, 2)}\n`);
}
