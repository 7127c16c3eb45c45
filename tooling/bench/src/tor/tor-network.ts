import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PARALLEL_BUILDS, type BuildMeasure, sampleBuilds } from '../build/build-contender.ts';
import { chainHost } from '../chain-host.ts';
import { findProgram } from '../competitors.ts';
import { freePort, waitForPort } from '../processes/free-port.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import { retry } from '../processes/retry.ts';
import type { SharedGroups } from '../processes/shared-groups.ts';
import type { Counterpart, Setting } from '../scenario.ts';
import type { TcpSinkCommands } from '../tcp/tcp-sink.ts';
import { type Line, type Workload, contender } from '../workloads.ts';
import { noDelayEnvironment } from './no-delay.ts';
import type { TorSourceCommands } from './tor-source.ts';
import {
  BEST_TUNING,
  DEFAULT_TUNING,
  type TorAuthority,
  type TorInstance,
  type TorTuning,
  authorityConfiguration,
  clientConfiguration,
  relayConfiguration,
  runningRelays,
} from './torrc.ts';

const run = promisify(execFile);
const RELAYS = 3;
const AUTHORITY_HOST: string = chainHost(RELAYS + 2);
const START_TIMEOUT_MS = 10_000;
/** Until there is a consensus that has all relays in it. */
const BOOTSTRAP_TIMEOUT_MS = 60_000;

/** A network that is up: the client's application, and a circuit of three relays to the sink. */
export interface TorLine extends Line {
  readonly source: PeerProcess<TorSourceCommands>;
}

/** Tor under a workload, as it comes and at its best. */
export function torCounterparts(workload: Workload): readonly Counterpart[] {
  return both(async (setting, tuning) => contender(await torLine(setting, tuning), workload));
}

/** Builds of Tor's circuits, as it comes and at its best. The connection to the first relay is open. */
export function torBuildCounterparts(measure: BuildMeasure = 'time'): readonly Counterpart[] {
  const parallel = measure === 'time' ? 1 : PARALLEL_BUILDS;
  return both(async (setting, tuning) => {
    const { group, source } = await torLine(setting, tuning);
    return {
      group,
      measure: (durationMs) => sampleBuilds(group, measure, () => source.callFor(durationMs, 'builds', durationMs, parallel)),
    };
  });
}

function both(setup: (setting: Setting, tuning: TorTuning) => ReturnType<Counterpart['setup']>): readonly Counterpart[] {
  return [
    { name: 'tor', competitor: 'tor', setup: (setting) => setup(setting, DEFAULT_TUNING), prepare: prepare(DEFAULT_TUNING) },
    { name: 'tor-tuned', competitor: 'tor', setup: (setting) => setup(setting, BEST_TUNING), prepare: prepare(BEST_TUNING) },
  ];
}

function prepare(tuning: TorTuning): (shared: SharedGroups) => void {
  // Who uses it is told of its failure.
  return (shared) => void torLine({ shared }, tuning).catch(() => {});
}

/** It takes half a minute to start one: there is one of each kind in a run. */
function torLine({ shared }: Pick<Setting, 'shared'>, tuning: TorTuning): Promise<TorLine> {
  return shared.get(tuning === DEFAULT_TUNING ? 'tor' : 'tor-tuned', (group) => startNetwork(group, tuning));
}

async function startNetwork(group: ProcessGroup, tuning: TorTuning): Promise<TorLine> {
  const tor = await program('tor');
  const keeper = group.startKeeper();
  const source = group.start<TorSourceCommands>('source', new URL('tor-source.ts', import.meta.url));
  const sink = group.start<TcpSinkCommands>('sink', new URL('../tcp/tcp-sink.ts', import.meta.url));
  const folder = await group.watch(keeper.call('folder'));
  // What the system's package configures is none of this network's business.
  const empty = join(folder, 'empty.torrc');
  await writeFile(empty, '');
  const env = tuning.noDelay ? await noDelayEnvironment(folder) : {};
  const start = async (instance: TorInstance, torrc: string, counted: boolean): Promise<void> => {
    const file = `${instance.folder}.torrc`;
    await writeFile(file, torrc);
    const name = `tor ${instance.nickname}`;
    await group.watch(keeper.call('start', { name, file: tor, args: ['-f', file, '--defaults-torrc', empty], env, counted }));
  };
  const authorityInstance = await instanceIn(folder, 'authority', AUTHORITY_HOST);
  const authority = await makeAuthority(tor, authorityInstance, empty);
  await start(authorityInstance, authorityConfiguration(authorityInstance, authority, tuning), false);
  // A relay whose first descriptor finds nobody waits a minute with the next one.
  await group.watch(waitForPort(authority.host, authority.dirPort, START_TIMEOUT_MS));
  const relays = await Promise.all(
    Array.from({ length: RELAYS }, async (_, i) => {
      const instance = await instanceIn(folder, String.fromCodePoint(0x42 + i), chainHost(i + 1));
      const orPort = await freePort(instance.host);
      await start(instance, relayConfiguration(instance, orPort, authority, tuning), true);
      return instance;
    }),
  );
  await group.watch(retry(BOOTSTRAP_TIMEOUT_MS, () => checkConsensus(authorityInstance, relays)));
  // Who has asked in vain for a consensus waits longer and longer: relays begin anew, and the client begins now.
  await group.watch(Promise.all(relays.map(({ nickname }) => keeper.call('restart', `tor ${nickname}`))));
  await group.watch(Promise.all(relays.map((relay) => retry(BOOTSTRAP_TIMEOUT_MS, () => checkConsensus(relay, relays)))));
  const client = await instanceIn(folder, 'A', chainHost(0));
  const [socksPort, controlPort] = [await freePort(client.host), await freePort(client.host)];
  await start(client, clientConfiguration(client, { socksPort, controlPort }, authority, tuning), true);
  const sinkHost = chainHost(RELAYS + 1);
  const sinkPort = await group.watch(sink.call('listen', sinkHost));
  const places = {
    control: { host: client.host, port: controlPort },
    socks: { host: client.host, port: socksPort },
    sink: { host: sinkHost, port: sinkPort },
  };
  const ready = async (): Promise<void> => {
    await waitForPort(client.host, controlPort, START_TIMEOUT_MS);
    const path = await Promise.all(relays.map(fingerprintOf));
    await source.callFor(BOOTSTRAP_TIMEOUT_MS, 'target', places, path, tuning.windows, BOOTSTRAP_TIMEOUT_MS);
  };
  await group.watch(ready());
  return { group, source };
}

async function program(name: string): Promise<string> {
  const file = await findProgram(name);
  if (file === undefined) throw new Error(`not installed: ${name}`);
  return file;
}

async function instanceIn(folder: string, nickname: string, host: string): Promise<TorInstance> {
  const own = join(folder, nickname);
  await mkdir(own, { mode: 0o700 });
  return { nickname, folder: own, host };
}

/** Makes the keys of an authority, and asks Tor for what others will know it by. */
async function makeAuthority(tor: string, { folder, host, nickname }: TorInstance, empty: string): Promise<TorAuthority> {
  const generate = await program('tor-gencert');
  const keys = join(folder, 'keys');
  await mkdir(keys, { mode: 0o700 });
  const [identity, signing, cert] = ['identity_key', 'signing_key', 'certificate'].map((name) => join(keys, `authority_${name}`)) as [
    string,
    string,
    string,
  ];
  const args = ['--create-identity-key', '-m', '1', '-i', identity, '-s', signing, '-c', cert, '--passphrase-fd', '0'];
  const child = spawn(generate, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  // The passphrase protects nothing: the key is gone with this run.
  child.stdin.end('matryoshka\n');
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`tor-gencert ended with ${code}`);
  const v3Identity = /^fingerprint ([0-9A-F]+)$/m.exec(await readFile(cert, 'utf8'))?.[1] as string;
  const [orPort, dirPort] = [await freePort(host), await freePort(host)];
  const options = ['--orport', String(orPort), '--datadirectory', folder, '--nickname', nickname];
  await run(tor, ['--list-fingerprint', '-f', empty, '--defaults-torrc', empty, ...options]);
  return { host, orPort, dirPort, v3Identity, fingerprint: await fingerprintOf({ folder }) };
}

/** @throws Error while an instance has no consensus with all relays running */
async function checkConsensus({ folder }: TorInstance, relays: readonly TorInstance[]): Promise<void> {
  const consensus = await readFile(join(folder, 'cached-microdesc-consensus'), 'utf8');
  const running = runningRelays(consensus);
  const absent = relays.filter(({ nickname }) => !running.includes(nickname)).map(({ nickname }) => nickname);
  if (absent.length > 0) throw new Error(`tor: not in the consensus: ${absent.join(', ')}`);
}

/** What others know an instance by; it writes that down some time after it was started. */
async function fingerprintOf({ folder }: Pick<TorInstance, 'folder'>): Promise<string> {
  const text = await retry(START_TIMEOUT_MS, () => readFile(join(folder, 'fingerprint'), 'utf8'));
  return text.trim().split(' ')[1] as string;
}
