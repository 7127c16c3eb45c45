import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { checked, repeated } from '../flag.ts';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { table } from '../screens/table.ts';
import { parsePeerId } from '@matryoshka/node';
import { ANYBODY } from '../services/service-host.ts';
import { parseHostPort, parseServiceName } from '../services/service-name.ts';

interface OfferedService {
  readonly name: string;
  readonly target: string;
  readonly allow: readonly string[];
  readonly origin: string;
  readonly open: number;
  readonly connected: number;
}

/** `matryoshka expose`: offers a TCP service to peers. */
export function exposeCommand(): Command {
  return addInstanceFlags(new Command('expose'))
    .summary('offer a TCP service to chosen peers')
    .description('Has the running node offer a TCP service to chosen peers, also after a restart.')
    .argument('<name>', 'of the service: a-z, 0-9 and -', checked(parseServiceName))
    .argument('<host:port>', 'where it listens', checked(parseHostPort))
    .addOption(repeated('--allow <peer>', 'id of a peer that may use it; may be repeated', parsePeerId))
    .option('--allow-any', 'all peers that may connect may use it, those that show no identity too')
    .addHelpText('after', '\nExample:\n  $ matryoshka expose web 127.0.0.1:8080 --allow mtk1…')
    .action(
      async (name: string, target: string, flags: InstanceFlags & { readonly allow: readonly string[]; readonly allowAny?: true }) => {
        const allow = flags.allowAny === true ? [ANYBODY] : flags.allow;
        if (allow.length === 0)
          throw new CliError('service.nobody', 'nobody is allowed to use it', 'name peers with --allow, or all of them with --allow-any');
        const service = await (await clientOf(flags)).call<OfferedService>('POST', '/v1/services', { body: { name, target, allow } });
        process.stdout.write(
          flags.json === true ? `${JSON.stringify(service)}\n` : `${name} leads to ${target}, for ${forWhom(service)}\n`,
        );
      },
    );
}

/** `matryoshka unexpose`: offers a service no more. */
export function unexposeCommand(): Command {
  return addInstanceFlags(new Command('unexpose'))
    .summary('offer a service no more')
    .description('Has the running node offer a service no more. Connections that are open go on.')
    .argument('<name>', 'of the service')
    .addHelpText('after', '\nExample:\n  $ matryoshka unexpose web')
    .action(async (name: string, flags: InstanceFlags) => {
      await (await clientOf(flags)).call('DELETE', `/v1/services/${encodeURIComponent(name)}`);
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ unexposed: name })}\n`);
    });
}

/** `matryoshka services`: what the running node offers. */
export function servicesCommand(): Command {
  return addInstanceFlags(new Command('services'))
    .summary('the services that the running node offers')
    .description('Lists the TCP services that the running node offers to peers.')
    .addHelpText('after', '\nExample:\n  $ matryoshka services --json')
    .action(async (flags: InstanceFlags) => {
      const services = await (await clientOf(flags)).call<readonly OfferedService[]>('GET', '/v1/services');
      if (flags.json === true) process.stdout.write(`${JSON.stringify(services)}\n`);
      else if (services.length === 0) process.stdout.write('no services are offered: matryoshka expose offers one\n');
      else
        process.stdout.write(
          table(
            ['name', 'target', 'for', 'from', 'open', 'connected'],
            services.map((service) => [
              service.name,
              service.target,
              forWhom(service),
              service.origin,
              String(service.open),
              String(service.connected),
            ]),
          ),
        );
    });
}

function forWhom({ allow }: OfferedService): string {
  return allow.includes(ANYBODY) ? 'everybody' : allow.join(', ');
}
