import { Command } from 'commander';
import type { ConnectionStatus } from '@matryoshka/node';
import { type InstanceFlags, addInstanceFlags, clientOf } from '../instance.ts';
import { interruptible } from '../interruption.ts';
import { destination } from '../node-flags.ts';
import { Output } from '../output.ts';
import { addCircuitFlags } from '../route-flags.ts';
import { circuitTable } from '../screens/status-screen.ts';

interface BuildFlags extends InstanceFlags {
  readonly path?: readonly string[];
  readonly hops?: number;
  readonly isolation?: string;
  readonly anonymous?: boolean;
}

/** `matryoshka circuit`: telescoped connections of the running node. */
export function circuitCommand(): Command {
  return new Command('circuit')
    .summary('build, list and close circuits')
    .description('Builds, lists and closes telescoped connections of the running node.')
    .addHelpText('after', '\nExample:\n  $ matryoshka circuit list')
    .addCommand(buildCommand())
    .addCommand(listCommand())
    .addCommand(closeCommand());
}

function buildCommand(): Command {
  return addInstanceFlags(addCircuitFlags(new Command('build')))
    .summary('build a circuit to a peer')
    .description(
      'Has the running node build a circuit: through relays that it chooses from its directory, or through peers of your choice. Each hop knows its two neighbours only.',
    )
    .argument('<peer>', '[peerId@]host:port or a peer id', destination)
    .option('--no-anonymous', 'show the peer who this is')
    .addHelpText(
      'after',
      '\nExample:\n  $ matryoshka circuit build mtk1…@198.51.100.9:999 --path mtk1…@203.0.113.5:999,mtk1…@192.0.2.7:999',
    )
    .action((to: string, flags: BuildFlags) => interruptible((signal) => build(to, flags, signal)));
}

async function build(to: string, { path, hops, isolation, anonymous, ...flags }: BuildFlags, signal: AbortSignal): Promise<void> {
  const output = new Output(flags.json === true);
  const client = await clientOf(flags);
  output.note(`building a circuit to ${to}`);
  const circuit = await client.call<ConnectionStatus>('POST', '/v1/circuits', {
    body: { to, path, hops, isolation, ...(anonymous === false && { anonymous }) },
    signal,
  });
  process.stdout.write(flags.json === true ? `${JSON.stringify(circuit)}\n` : circuitTable([circuit]));
}

function listCommand(): Command {
  return addInstanceFlags(new Command('list'))
    .summary('circuits with their hops')
    .description('Lists the circuits of the running node with their hops, the far end last.')
    .addHelpText('after', '\nExample:\n  $ matryoshka circuit list --json')
    .action(async (flags: InstanceFlags) => {
      const circuits = await (await clientOf(flags)).call<readonly ConnectionStatus[]>('GET', '/v1/circuits');
      process.stdout.write(flags.json === true ? `${JSON.stringify(circuits)}\n` : circuitTable(circuits));
    });
}

function closeCommand(): Command {
  return addInstanceFlags(new Command('close'))
    .summary('close a circuit with all its hops')
    .description('Has the running node close a circuit with all its hops.')
    .argument('<id>', 'of the circuit, as list shows it')
    .addHelpText('after', '\nExample:\n  $ matryoshka circuit close s7')
    .action(async (id: string, flags: InstanceFlags) => {
      await (await clientOf(flags)).call('DELETE', `/v1/circuits/${encodeURIComponent(id)}`);
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ closed: id })}\n`);
    });
}
