import { isIP } from 'node:net';
import { type NodeOptions, type RelayNodeOptions, parseDestination, parseEndpoint, parsePeerId, parseStaticKey } from '@matryoshka/node';
import { IDENTITY_SEED_LENGTH } from '@matryoshka/session';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AccessFlags, accessOptions, addAccessFlags } from './access-flags.ts';
import { checked, repeated } from './flag.ts';
import { readIdentitySeed, readNetworkKey } from './secret-file.ts';

type DialClass = NonNullable<RelayNodeOptions['allowDial']>[number];

type TrafficPreset = Extract<NodeOptions['traffic'], string>;

const TRAFFIC_PRESETS: readonly TrafficPreset[] = ['plain', 'standard', 'private'];
const DIAL_CLASSES: readonly DialClass[] = ['loopback', 'link-local', 'private', 'multicast', 'unspecified', 'metadata', 'reserved'];

/** The flags of every command that runs a node. */
export interface NodeFlags {
  readonly listen: readonly string[];
  readonly dialFrom?: string;
  readonly peer: readonly string[];
  readonly identity?: string;
  readonly networkKeyFile?: string;
  readonly grace?: number;
  readonly traffic?: TrafficPreset;
  readonly json?: true;
  readonly exitWithParent?: true;
}

/** The flags of commands that others connect to. */
export interface ServingFlags extends AccessFlags {
  readonly relay?: true;
  readonly forward: boolean;
  readonly allowDial: readonly DialClass[];
}

/** Checks `[peer@]host:port`, a peer, or `peer@relayPeerId[@host:port]`, a peer being `peerId[+staticKey]`. */
export const destination: (value: string) => string = checked(checkDestination);

function checkDestination(value: string): void {
  const parsed = parseDestination(value);
  if (parsed.peerId !== undefined) parsePeerId(parsed.peerId);
  if (parsed.staticKey !== undefined) parseStaticKey(parsed.staticKey);
}

/** Checks `peerId[+staticKey]@host:port`. */
export function checkPeer(value: string): void {
  const parsed = parseDestination(value);
  if (parsed.type !== 'endpoint' || parsed.peerId === undefined)
    throw new TypeError('Expected peerId@host:port or peerId+staticKey@host:port.');
  checkDestination(value);
}

function checkAddress(value: string): void {
  if (isIP(value) === 0) throw new TypeError('Expected an IP address.');
}

function seconds(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value) || Number(value) > 3600) throw new InvalidArgumentError('Expected seconds, 0 to 3600.');
  return Number(value);
}

function dialClasses(value: string): readonly DialClass[] {
  const names = value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(DIAL_CLASSES as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${DIAL_CLASSES.join(', ')}.`);
  return names as DialClass[];
}

/** Adds the flags of {@link NodeFlags}; `--json` only where the command has it from nowhere else. */
export function addNodeFlags(command: Command, { json = true }: { readonly json?: boolean } = {}): Command {
  if (json) command.option('--json', 'one JSON object per line on standard output');
  return command
    .addOption(repeated('--listen <host:port>', 'listen there, port 0 for any free one', parseEndpoint))
    .option('--dial-from <address>', 'local IP address that connections are made from', checked(checkAddress))
    .addOption(
      repeated('--peer <peerId@host:port>', 'connect to this peer at the start, to a hidden one by peerId+staticKey@host:port', checkPeer),
    )
    .option('--identity <file>', 'who this node is, and its static key; made if missing (default: a new identity each time)')
    .option('--network-key-file <file>', 'key of a closed network, hex or base64, 16 bytes or more')
    .option('--grace <seconds>', 'how long a connection whose link broke waits for another one (default: 30); 0: not at all', seconds)
    .addOption(
      new Option(
        '--traffic <preset>',
        'how much sizes and times show to others: plain hides nothing, private costs most (default: standard)',
      ).choices(TRAFFIC_PRESETS),
    )
    .option('--exit-with-parent', 'stop when standard input ends');
}

/** Adds the flags of {@link ServingFlags}. */
export function addServingFlags(command: Command): Command {
  command
    .option('--relay', 'serve relay links: forward them, and be their destination')
    .option('--no-forward', 'with --relay: be a destination only')
    .addOption(
      new Option('--allow-dial <classes>', 'kinds of addresses besides global ones to dial for others, e.g. loopback,private')
        .default([], 'none')
        .argParser(dialClasses),
    );
  return addAccessFlags(command);
}

/** The options of a node that the flags describe. @throws CliError `config.secret-…` */
export async function nodeOptions(flags: NodeFlags, serving?: ServingFlags): Promise<NodeOptions> {
  const seed = flags.identity === undefined ? undefined : await readIdentitySeed(flags.identity, IDENTITY_SEED_LENGTH);
  const from = flags.dialFrom === undefined ? {} : { localAddress: flags.dialFrom };
  return {
    transports: [tcp(from), websocket(from)],
    listen: flags.listen,
    peers: flags.peer,
    ...(seed !== undefined && { identity: seed }),
    ...(flags.grace !== undefined && { resume: { graceMs: Math.round(flags.grace * 1000) } }),
    ...(flags.traffic !== undefined && { traffic: flags.traffic }),
    ...(flags.networkKeyFile !== undefined && { networkKey: await readNetworkKey(flags.networkKeyFile) }),
    ...(serving !== undefined && {
      relay: { enabled: serving.relay === true, forward: serving.forward, allowDial: serving.allowDial },
      access: accessOptions(serving),
    }),
  };
}
