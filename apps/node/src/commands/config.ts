import { Command } from 'commander';
import { CONFIG_KEYS, variableOf } from '../config/config-keys.ts';
import { showSetting } from '../config/show.ts';
import { type Assignment, type InstanceFlags, addInstanceFlags, addSetFlag, clientOf, configOf } from '../instance.ts';
import { table } from '../screens/table.ts';

interface ShowFlags extends InstanceFlags {
  readonly set: readonly Assignment[];
  readonly all?: true;
}

/** `matryoshka config`: what is configured, and what can be. */
export function configCommand(): Command {
  return new Command('config')
    .summary('what is configured, and what can be')
    .description('Shows and checks the configuration, and has the running node read it again.')
    .addHelpText('after', '\nExample:\n  $ matryoshka config show')
    .addCommand(showCommand())
    .addCommand(keysCommand())
    .addCommand(reloadCommand());
}

function showCommand(): Command {
  return addSetFlag(addInstanceFlags(new Command('show')))
    .summary('the effective configuration, with where each value comes from')
    .description('Checks the configuration and shows every key that was set, with where its value comes from: file, environment or flag.')
    .option('--all', 'keys that have their defaults, too')
    .addHelpText('after', '\nExample:\n  $ matryoshka config show --all')
    .action(async (flags: ShowFlags) => {
      const { config, unknownVariables } = await configOf(flags, flags.set);
      const settings = config.all().map(showSetting);
      if (flags.json === true) {
        process.stdout.write(`${JSON.stringify({ ...config.folders, settings, unknownVariables })}\n`);
        return;
      }
      const shown = settings.filter(({ origin }) => flags.all === true || origin !== 'default');
      process.stdout.write(`# configuration ${config.folders.configFile}\n# data folder   ${config.folders.data}\n`);
      process.stdout.write(
        shown.length === 0
          ? 'everything is as it is by default, see --all\n'
          : table(
              ['key', 'value', 'from'],
              shown.map(({ path, value, origin }) => [path, value === null ? '(none)' : JSON.stringify(value), origin]),
            ),
      );
      for (const name of unknownVariables) process.stderr.write(`matryoshka: ${name} in the environment is no key of the configuration\n`);
    });
}

function keysCommand(): Command {
  return addInstanceFlags(new Command('keys'))
    .summary('everything that can be configured')
    .description('Lists every key of the configuration, its variable in the environment, and what it is for.')
    .addHelpText('after', '\nExample:\n  $ matryoshka config keys')
    .action((flags: InstanceFlags) => {
      const keys = CONFIG_KEYS.map((key) => ({ path: key.path, variable: variableOf(key), live: key.live, about: key.about }));
      if (flags.json === true) process.stdout.write(`${JSON.stringify(keys)}\n`);
      else
        for (const { path, variable, live, about } of keys)
          process.stdout.write(`${path}${live ? '' : '  (from the next start on)'}\n  ${variable}\n  ${about}\n`);
    });
}

function reloadCommand(): Command {
  return addInstanceFlags(new Command('reload'))
    .summary('have the running node read its configuration again')
    .description('Has the running node read its configuration again, as SIGHUP does. What cannot change while it runs is told.')
    .option('--restart', 'end the node in order and start it again, in the same process, so that everything counts')
    .addHelpText('after', '\nExample:\n  $ matryoshka config reload')
    .action(async (flags: InstanceFlags & { readonly restart?: true }) => {
      const client = await clientOf(flags);
      if (flags.restart === true) {
        await client.call('POST', '/v1/restart');
        process.stdout.write(flags.json === true ? '{"restarted":true}\n' : 'restarted\n');
        return;
      }
      const report = await client.call<{ readonly changed: readonly string[]; readonly needRestart: readonly string[] }>(
        'POST',
        '/v1/reload',
      );
      if (flags.json === true) {
        process.stdout.write(`${JSON.stringify(report)}\n`);
        return;
      }
      process.stdout.write(
        report.changed.length === 0 ? 'nothing has changed that counts while it runs\n' : `changed: ${report.changed.join(', ')}\n`,
      );
      if (report.needRestart.length > 0) process.stdout.write(`from the next start on: ${report.needRestart.join(', ')}\n`);
    });
}
