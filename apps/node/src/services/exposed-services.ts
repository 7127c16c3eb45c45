import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { readIfThere } from '../read-if-there.ts';
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
  const content = await readIfThere(file);
  if (content === undefined) return [];
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
