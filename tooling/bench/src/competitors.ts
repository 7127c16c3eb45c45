import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { installLibp2p, isLibp2pInstalled } from './libp2p/modules.ts';
import type { Competitor } from './scenario.ts';

/** Where system services live, which are not in everybody's path. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/** Where a program is; undefined where it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS].filter((folder) => folder !== '');
  for (const folder of folders) {
    const file = join(folder, name);
    try {
      // The first one counts, as in a shell.
      // oxlint-disable-next-line no-await-in-loop
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** What is not installed of these programs, in words; undefined where all are. */
async function missing(programs: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(programs.map(findProgram));
  const absent = programs.filter((_, i) => found[i] === undefined);
  return absent.length === 0 ? undefined : `not installed: ${absent.join(', ')}`;
}

/**
 * Why a competitor cannot take part; undefined where it can.
 * @param asked - whether it was named: then what comes from a package registry is installed, if it is not yet
 */
export async function whyMissing(competitor: Competitor, asked: boolean): Promise<string | undefined> {
  switch (competitor) {
    case 'plain':
      return undefined;
    case 'tls':
      return missing(['openssl']);
    case 'ssh':
      return missing(['ssh', 'sshd', 'ssh-keygen']);
    case 'tor':
      return missing(['tor', 'tor-gencert']);
    case 'libp2p':
      return findLibp2p(asked);
    default:
      return competitor satisfies never;
  }
}

async function findLibp2p(install: boolean): Promise<string | undefined> {
  if (await isLibp2pInstalled()) return undefined;
  if (!install) return 'not installed: --against libp2p does that';
  try {
    await installLibp2p();
    return undefined;
  } catch (error) {
    return `cannot be installed: ${(error as Error).message}`;
  }
}
