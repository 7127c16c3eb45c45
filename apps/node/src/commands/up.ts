import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { accessOptions } from '../access-flags.ts';
import { DRAIN_MS, LOG_FORMAT, LOG_LEVEL, LOG_LEVELS, LOG_TIME } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { CONFIG_VARIABLE, DATA_VARIABLE } from '../config/folders.ts';
import { type ConfigSources, loadConfig } from '../config/load-config.ts';
import { Control } from '../control/control.ts';
import { prepareDataFolder } from '../daemon/data-folder.ts';
import { Daemon } from '../daemon/daemon.ts';
import { InstanceLock } from '../daemon/instance-lock.ts';
import { type Logger, createLogger } from '../daemon/logger.ts';
import { obeyInput } from '../input-commands.ts';
import { type Assignment, type InstanceFlags, addInstanceFlags, addSetFlag, foldersOf } from '../instance.ts';
import { Interruption } from '../interruption.ts';
import { type NodeFlags, type ServingFlags, addNodeFlags, addServingFlags } from '../node-flags.ts';

/** How long closing everything may take after that, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;

interface UpFlags extends NodeFlags, ServingFlags, InstanceFlags {
  readonly into?: string;
  readonly logLevel?: string;
  readonly ephemeral?: true;
  readonly set: readonly Assignment[];
  readonly json?: true;
}

/** `matryoshka up`: runs a node until it is told to stop. */
export function upCommand(): Command {
  const command = new Command('up')
    .summary('run a node')
    .description(
      'Runs the node that init has made, until it is interrupted; what flags say wins over its configuration. Where there is none, runs one that keeps nothing.',
    );
  addSetFlag(addInstanceFlags(addServingFlags(addNodeFlags(command, { json: false }))))
    .option('--into <dir>', 'also receive files into this directory')
    .addOption(new Option('--log-level <level>', 'least important lines that are logged').choices(LOG_LEVELS))
    .option('--ephemeral', 'keeps nothing and reads no configuration: a new identity each time, no control socket');
  return command
    .addHelpText(
      'after',
      `
Examples:
  $ matryoshka up
  $ matryoshka up --listen 0.0.0.0:999 --relay --set access.maxConnections=100

SIGHUP reads the configuration again. With --json, a line "status" on standard input is answered by a status event, and
"connect peerId@host:port" connects.`,
    )
    .action(up);
}

async function up(flags: UpFlags): Promise<void> {
  const sources = sourcesOf(flags);
  const { config, unknownVariables } = await loadConfig(sources);
  const logger = createLogger({ level: config.get(LOG_LEVEL), format: config.get(LOG_FORMAT), time: config.get(LOG_TIME) });
  for (const name of unknownVariables) logger.warn({ variable: name }, 'this variable of the environment is no key of the configuration');
  if (sources.ephemeral && flags.ephemeral !== true)
    logger.info('there is no configuration: this node forgets who it is when it ends, see matryoshka init');
  await run(config, sources, logger, flags);
}

async function run(config: Config, sources: ConfigSources, logger: Logger, flags: UpFlags): Promise<void> {
  let daemon: Daemon | undefined;
  let control: Control | undefined;
  // While it starts, what it will have read may be old already.
  let hungUp = false;
  using interruption = new Interruption(
    flags.exitWithParent === true,
    () => {
      if (daemon === undefined) hungUp = true;
      else reload(daemon);
    },
    () => (daemon?.config ?? config).get(DRAIN_MS) + CLOSE_TIMEOUT_MS,
  );
  if (!sources.ephemeral) await prepareDataFolder(config.folders.data);
  await using _lock = sources.ephemeral ? undefined : await InstanceLock.acquire(config.folders.data);
  const parts = { sources, config, logger, json: flags.json === true, stop: () => interruption.stop() };
  try {
    daemon = await Daemon.start(parts, async (starting) => {
      if (sources.ephemeral) return;
      control = await Control.start(starting);
      logger.info({ dataFolder: config.folders.data, ...(control.url !== undefined && { url: control.url }) }, 'the control API answers');
      if (await control.hasPage()) logger.info('"matryoshka dashboard" prints the address of a page that shows this node');
    });
    const running = daemon;
    if (hungUp) reload(running);
    using _input = obeyInput(() => running.node, daemon.output, interruption.signal);
    await interruption.wait();
    await daemon.stop();
  } finally {
    await control?.[Symbol.asyncDispose]();
  }
}

function reload(daemon: Daemon): void {
  daemon.reload().catch((error: unknown) => {
    daemon.logger.error(`the configuration was not read again: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/** What the configuration is made of; without any, the node keeps nothing. */
function sourcesOf(flags: UpFlags): ConfigSources {
  const folders = foldersOf(flags);
  const named = [flags.config, flags.data, process.env[CONFIG_VARIABLE], process.env[DATA_VARIABLE]].some((name) => name !== undefined);
  return {
    folders,
    environment: process.env,
    flags: [...flagSettings(flags), ...flags.set.map((assignment) => ({ ...assignment, flag: `--set ${assignment.path}` }))],
    fileNeeded: flags.config !== undefined,
    ephemeral: flags.ephemeral === true || !(named || existsSync(folders.configFile)),
  };
}

/** Flags that stand for keys of the configuration. */
function flagSettings(flags: UpFlags): ConfigSources['flags'] {
  const all: readonly (readonly [flag: string, path: string, value: unknown])[] = [
    ['--listen', 'listen', flags.listen.length > 0 ? flags.listen : undefined],
    ['--peer', 'peers', flags.peer.length > 0 ? flags.peer : undefined],
    ['--dial-from', 'dialFrom', flags.dialFrom],
    ['--identity', 'identityFile', flags.identity],
    ['--network-key-file', 'networkKeyFile', flags.networkKeyFile],
    ['--grace', 'resume.graceMs', flags.grace === undefined ? undefined : Math.round(flags.grace * 1000)],
    ['--traffic', 'traffic', flags.traffic],
    ['--relay', 'relay.enabled', flags.relay],
    ['--no-forward', 'relay.forward', flags.forward ? undefined : false],
    ['--allow-dial', 'relay.allowDial', flags.allowDial.length > 0 ? flags.allowDial : undefined],
    ['--into', 'files.into', flags.into],
    ['--log-level', 'log.level', flags.logLevel],
    ...accessSettings(flags),
  ];
  return all.filter(([, , value]) => value !== undefined).map(([flag, path, value]) => ({ flag, path, value }));
}

/** Lists that were not given leave the configuration's. */
function accessSettings(flags: UpFlags): readonly (readonly [flag: string, path: string, value: unknown])[] {
  return Object.entries(accessOptions(flags))
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([name, value]) => [`for access.${name}`, `access.${name}`, value]);
}
