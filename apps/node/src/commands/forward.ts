import { Command } from 'commander';
import { checked } from '../flag.ts';
import { type InstanceFlags, addInstanceFlags } from '../instance.ts';
import { destination } from '../node-flags.ts';
import { type RouteFlags, addRouteFlags } from '../route-flags.ts';
import { parseServiceName } from '../services/service-name.ts';
import { hold, localPort, wayOf } from './hold.ts';

/** `matryoshka forward`: maps a local port to a service of a peer, until it is ended. */
export function forwardCommand(): Command {
  return addInstanceFlags(addRouteFlags(new Command('forward'), { services: true }))
    .summary('map a local port to a service of a peer')
    .description('Has the running node map a local port to a service that a peer exposes, until this command is ended.')
    .argument('<local>', 'port, or host:port, to listen on; port 0 for any free one', localPort)
    .argument('<peer>', '[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]', destination)
    .argument('<service>', 'as the peer has exposed it', checked(parseServiceName))
    .addHelpText(
      'after',
      `
Examples:
  $ matryoshka forward 8080 mtk1… web
  $ matryoshka forward 127.0.0.1:2222 mtk1…@198.51.100.9:999 ssh --hops 3`,
    )
    .action((listen: string, peer: string, service: string, flags: RouteFlags & InstanceFlags) =>
      hold(flags, '/v1/forwards', { listen, peer, service, ...wayOf(flags) }, (place) => `${place} leads to ${service} of ${peer}`),
    );
}
