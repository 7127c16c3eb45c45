import { Command } from 'commander';
import type { ConnectionStatus } from '@matryoshka/node';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { interruptible } from '../interruption.ts';
import { destination } from '../node-flags.ts';
import { peerText } from '../node-reporter.ts';
import { Output } from '../output.ts';
import { type RouteFlags, addRouteFlags, routeOf } from '../route-flags.ts';

/** `matryoshka connect`: has the running node connect to a peer. */
export function connectCommand(): Command {
  return addInstanceFlags(addRouteFlags(new Command('connect')))
    .summary('connect the running node to a peer')
    .description('Has the running node connect to a peer: directly, relayed over hops that relays choose, or telescoped through a path.')
    .argument('<peer>', '[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]', destination)
    .addHelpText(
      'after',
      `
Examples:
  $ matryoshka connect mtk1…@198.51.100.9:999
  $ matryoshka connect mtk1…@198.51.100.9:999 --hops 3
  $ matryoshka connect mtk1…@198.51.100.9:999 --path mtk1…@203.0.113.5:999,mtk1…@192.0.2.7:999`,
    )
    .action((to: string, flags: RouteFlags & InstanceFlags) => interruptible((signal) => connect(to, flags, signal)));
}

async function connect(to: string, flags: RouteFlags & InstanceFlags, signal: AbortSignal): Promise<void> {
  const output = new Output(flags.json === true);
  const client = await clientOf(flags);
  output.note(`connecting to ${to}`);
  const connection = await client.call<ConnectionStatus>('POST', '/v1/connections', { body: { to, ...routeOf(flags) }, signal });
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(connection)}\n`
      : `${connection.kind} connection ${connection.id} to ${peerText(connection)}${connection.authenticated ? '' : ' (who that is was not verified)'}\n`,
  );
}

/** `matryoshka disconnect`: has the running node close a connection. */
export function disconnectCommand(): Command {
  return addInstanceFlags(new Command('disconnect'))
    .summary('close a connection of the running node')
    .description('Has the running node close a connection. A peer of its configuration is connected to again.')
    .argument('<id>', 'of the connection, as peers lists it')
    .addHelpText('after', '\nExample:\n  $ matryoshka disconnect s3')
    .action(async (id: string, flags: InstanceFlags) => {
      await (await clientOf(flags)).call('DELETE', `/v1/connections/${encodeURIComponent(id)}`);
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ closed: id })}\n`);
    });
}
