import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LIBP2P_VERSION, installLibp2p, isLibp2pInstalled } from './libp2p/modules.ts';
import type { Competitor } from './scenario.ts';

/** Where system services live, which are not in everybody's path. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where a program is, by the PATH; undefined where it is in none of its folders. */
export function findProgram(name: string): Promise<string | undefined> {
  return findIn((process.env['PATH'] ?? '').split(delimiter), name);
}

async function findIn(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    if (folder === '') continue;
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

/** What there is not of these programs, in words; undefined where there are all. */
async function missing(programs: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(programs.map(findProgram));
  const absent = programs.filter((_, i) => found[i] === undefined);
  if (absent.length === 0) return undefined;
  const elsewhere = (await Promise.all(absent.map((name) => findIn(SYSTEM_FOLDERS, name)))).filter((file) => file !== undefined);
  const hint = elsewhere.length === 0 ? '' : ` (there is ${elsewhere.join(', ')}, outside the PATH)`;
  return `not installed: ${absent.join(', ')}${hint}`;
}

/** Why a competitor cannot take part; undefined where it can. What comes from a package registry is installed first. */
export async function whyMissing(competitor: Competitor, progress: (line: string) => void): Promise<string | undefined> {
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
      return installingLibp2p(progress);
    default:
      return competitor satisfies never;
  }
}

async function installingLibp2p(progress: (line: string) => void): Promise<string | undefined> {
  if (await isLibp2pInstalled()) return undefined;
  const npm = await findProgram('npm');
  if (npm === undefined) return 'not installed: npm, which would install it';
  progress(`libp2p: installing js-libp2p ${LIBP2P_VERSION}, outside this workspace and once`);
  try {
    await installLibp2p(npm);
    return undefined;
  } catch (error) {
    return `cannot be installed: ${(error as Error).message.trim()}`;
  }
}
