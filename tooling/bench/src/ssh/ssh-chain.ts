import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chainHost } from '../chain-host.ts';
import { findProgram } from '../competitors.ts';
import { freePort, waitForPort } from '../processes/free-port.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import { retry } from '../processes/retry.ts';
import type { Contender } from '../scenario.ts';
import { withCpu } from '../workloads.ts';
import { type SshFiles, type SshHop, clientConfiguration, hopName, serverConfiguration } from './configuration.ts';
import type { SshSourceCommands } from './ssh-source.ts';

const run = promisify(execFile);
const OPEN_TIMEOUT_MS = 20_000;
/** Where a server that was started by root locks its unprivileged part in. */
const PRIVILEGE_SEPARATION_FOLDER = '/run/sshd';

/** `ssh -J` over so many servers, one layer of encryption for each: the nesting of a telescoped connection. */
export async function sshChain(group: ProcessGroup, layers: number): Promise<Contender> {
  const [ssh, sshd] = await Promise.all([program('ssh'), program('sshd')]);
  const keeper = group.startKeeper();
  const source = group.start<SshSourceCommands>('source', new URL('ssh-source.ts', import.meta.url));
  const folder = await group.watch(keeper.call('folder'));
  const files = await makeKeys(folder);
  const hops = await Promise.all(
    Array.from({ length: layers }, async (_, i) => ({ host: chainHost(i + 1), port: await freePort(chainHost(i + 1)) })),
  );
  await Promise.all(
    hops.map(async (hop, i) => {
      const file = join(folder, `${hopName(i)}.conf`);
      await writeFile(file, serverConfiguration(hop, files));
      await group.watch(keeper.call('start', { name: `sshd ${i + 1}`, file: sshd, args: ['-D', '-e', '-f', file] }));
    }),
  );
  const config = join(folder, 'client.conf');
  await writeFile(config, clientConfiguration(hops, userInfo().username, files));
  const options = ['-F', config, '-S', join(folder, 'master')];
  const names = hops.map((_, i) => hopName(i));
  const last = names.pop() as string;
  const jumps = names.length === 0 ? [] : ['-J', names.join(',')];
  await group.watch(untilListening(hops));
  await group.watch(keeper.call('start', { name: 'ssh', file: ssh, args: [...options, '-M', '-N', ...jumps, last] }));
  await group.watch(retry(OPEN_TIMEOUT_MS, () => run(ssh, [...options, '-O', 'check', last])));
  await group.watch(source.call('target', ssh, options, last));
  return {
    group,
    measure: (durationMs) =>
      withCpu(group, async () => {
        const { bytes, seconds } = await source.callFor(durationMs, 'transfer', durationMs);
        return { value: bytes / 1e6 / seconds, seconds, bytes };
      }),
  };
}

async function program(name: string): Promise<string> {
  const file = await findProgram(name);
  if (file === undefined) throw new Error(`${name} is not installed`);
  return file;
}

async function makeKeys(folder: string): Promise<SshFiles> {
  const files = { userKey: join(folder, 'user'), hostKey: join(folder, 'host') };
  const make = (file: string): Promise<unknown> => run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  await Promise.all([make(files.userKey), make(files.hostKey)]);
  if (process.getuid?.() === 0) await mkdir(PRIVILEGE_SEPARATION_FOLDER, { recursive: true, mode: 0o755 });
  return files;
}

async function untilListening(hops: readonly SshHop[]): Promise<void> {
  await Promise.all(hops.map(({ host, port }) => waitForPort(host, port, OPEN_TIMEOUT_MS)));
}
