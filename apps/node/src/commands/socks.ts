import { Command, Option } from 'commander';
import { type InstanceFlags, addInstanceFlags } from '../instance.ts';
import { destination } from '../node-flags.ts';
import { type RouteFlags, addRouteFlags } from '../route-flags.ts';
import { hold, localPort, wayOf } from './hold.ts';

/** `matryoshka socks`: a SOCKS5 proxy, until it is ended. */
export function socksCommand(): Command {
  return addInstanceFlags(addRouteFlags(new Command('socks'), { services: true }))
    .summary('a SOCKS5 proxy to services of peers')
    .description(
      'Has the running node serve a SOCKS5 proxy until this command is ended. <service>.<peer id> leads to a service that a peer exposes; ordinary hosts are reached through an exit. Names are resolved at the far end. Clients with different names and passwords share no connection.',
    )
    .addOption(new Option('--listen <host:port>', 'loopback address and port to listen on').default('127.0.0.1:1080').argParser(localPort))
    .option('--exit <peer>', 'reach ordinary hosts through this peer, which has to be an exit (default: reach none)', destination)
    .addHelpText(
      'after',
      `
Examples:
  $ matryoshka socks --hops 3
  $ curl --socks5-hostname 127.0.0.1:1080 http://web.mtk1…/`,
    )
    .action((flags: RouteFlags & InstanceFlags & { readonly listen: string; readonly exit?: string }) =>
      hold(
        flags,
        '/v1/socks',
        { listen: flags.listen, ...(flags.exit !== undefined && { exit: flags.exit }), ...wayOf(flags) },
        (place) => `SOCKS5 proxy on ${place}`,
      ),
    );
}
