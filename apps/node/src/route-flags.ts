import { type ConnectOptions, type HopRange, parseStaticKey } from '@matryoshka/node';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { checked } from './flag.ts';
import { destination } from './node-flags.ts';

/** The flags that say how a peer is reached. */
export interface RouteFlags {
  readonly hops?: number | HopRange;
  readonly path?: readonly string[];
  readonly gateway?: string;
  readonly anonymous?: boolean;
  readonly unverifiedDestination?: true;
  readonly staticKey?: string;
}

function wholeNumber(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(value);
}

/** A number of hops, or a range of them; whether there can be so many is checked with the connection. */
export function hopCount(value: string): number | HopRange {
  const range = /^(\d+)-(\d+)$/.exec(value);
  return range === null ? wholeNumber(value) : { min: Number(range[1]), max: Number(range[2]) };
}

/** As they were given. */
export function hopsText(hops: number | HopRange): string {
  return typeof hops === 'number' ? String(hops) : `${hops.min}-${hops.max}`;
}

function peerList(value: string): readonly string[] {
  return value.split(',').map((peer) => destination(peer.trim()));
}

/** Adds the flags that say what a circuit goes through. */
export function addCircuitFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--hops <count>', 'of this many hops, the peer included, over relays from the directory (default: 4)')
        .argParser(wholeNumber)
        .conflicts('path'),
    )
    .option('--isolation <key>', 'shares relays with circuits of the same key only, not with none')
    .addOption(new Option('--path <peers>', 'through these peers, peerId@host:port each, separated by commas').argParser(peerList));
}

/** Adds the flags of {@link RouteFlags}. With `services` who this is is shown by default also over a path: they are for peers they know. */
export function addRouteFlags(command: Command, { services = false }: { readonly services?: boolean } = {}): Command {
  const [hidden, shown] = services
    ? ['then only services and exits for everybody are reached', 'default']
    : ['default with --path', 'default without --path'];
  return command
    .addOption(
      new Option('--hops <count>', 'relayed over this many hops, 1 to 15, that the relays choose; 2-4: as many as are drawn from these')
        .argParser(hopCount)
        .conflicts('path'),
    )
    .addOption(
      new Option('--path <peers>', 'telescoped through these peers, peerId@host:port each, separated by commas').argParser(peerList),
    )
    .option('--gateway <peer>', 'with --hops: the first relay, a peer id or peerId@host:port (default: any peer that relays)', destination)
    .option('--anonymous', `do not show who this is (${hidden})`)
    .option('--no-anonymous', `show who this is (${shown})`)
    .option('--static-key <key>', 'of the peer, as peerId+staticKey says it, too; shows no identity', checked(parseStaticKey))
    .option('--unverified-destination', 'with --hops: connect to an endpoint without a peer id, whoever answers');
}

/** What the flags say of a connection; the rest is checked with it. */
export function routeOf({ hops, path, gateway, anonymous, staticKey, unverifiedDestination }: RouteFlags): Omit<ConnectOptions, 'signal'> {
  return {
    ...(hops !== undefined && { hops }),
    ...(path !== undefined && { path }),
    ...(gateway !== undefined && { gateway }),
    ...(anonymous !== undefined && { anonymous }),
    ...(staticKey !== undefined && { staticKey }),
    ...(unverifiedDestination === true && { unverifiedDestination: true }),
  };
}
