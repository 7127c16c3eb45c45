import { Command } from 'commander';
import { CONTROL_SOCKET } from '../config/app-keys.ts';
import { ControlClient } from '../control/client.ts';
import { type Finding, ok, warn } from '../doctor/check.ts';
import { lookAtClock } from '../doctor/look-at-clock.ts';
import { failure, lookAtFiles } from '../doctor/look-at-files.ts';
import { lookAtRunning, lookAtStopped } from '../doctor/look-at-node.ts';
import { type InstanceFlags, addInstanceFlags, configOf } from '../instance.ts';

interface DoctorFlags extends InstanceFlags {
  readonly timeServer?: string;
}

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' };

/** `matryoshka doctor`: what is wrong, and what to do about it. */
export function doctorCommand(): Command {
  return addInstanceFlags(new Command('doctor'))
    .summary('look for what is wrong, and say what to do')
    .description(
      'Checks configuration, keys, folders, disk, ports, clock, and whether peers can be reached. Ends with 1 where something is wrong.',
    )
    .option('--time-server <host>', 'compare the clock with this server (SNTP)')
    .addHelpText('after', '\nExample:\n  $ matryoshka doctor')
    .action(doctor);
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const findings = await examine(flags);
  if (flags.json === true) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else
    for (const { name, state, detail, hint } of findings)
      process.stdout.write(`${MARKS[state]}  ${name}: ${detail}\n${hint === undefined ? '' : `      ${hint}\n`}`);
  if (findings.some(({ state }) => state === 'fail')) process.exitCode = 1;
}

async function examine(flags: DoctorFlags): Promise<readonly Finding[]> {
  const clock = lookAtClock(flags.timeServer);
  try {
    const { config, unknownVariables } = await configOf(flags);
    const client = new ControlClient(config.get(CONTROL_SOCKET), config.folders.data);
    const [files, node] = await Promise.all([
      lookAtFiles(config),
      client
        .running()
        .then((running) => (running ? lookAtRunning(config, client) : lookAtStopped(config)))
        .catch((error: unknown) => [failure('node', error)]),
    ]);
    const variables = unknownVariables.map((name) =>
      warn('environment', `${name} is no key of the configuration`, 'matryoshka config keys lists them'),
    );
    return [ok('configuration', config.folders.configFile), ...variables, ...files, await clock, ...node];
  } catch (error) {
    return [failure('configuration', error), await clock];
  }
}
