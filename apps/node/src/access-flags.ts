import { type AccessOptions, parsePeerId } from '@matryoshka/node';
import { parseIpNetwork } from '@matryoshka/transport';
import { type Command, InvalidArgumentError } from 'commander';
import { repeated } from './flag.ts';

/** The flags that say who may come. */
export interface AccessFlags {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly allowPeer: readonly string[];
  readonly denyPeer: readonly string[];
  readonly hidden?: true;
  readonly exempt: readonly string[];
  readonly maxConnections?: number;
  readonly maxConnectionsPerNetwork?: number;
  readonly attemptsPerSecond?: number;
  readonly attemptBurst?: number;
}

function count(value: string): number {
  if (!/^\d{1,7}$/.test(value)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(value);
}

/** Adds the flags of {@link AccessFlags}. */
export function addAccessFlags(command: Command): Command {
  return command
    .addOption(repeated('--allow <network>', 'only addresses of these networks may connect, e.g. 10.0.0.0/8', parseIpNetwork))
    .addOption(repeated('--deny <network>', 'addresses of this network may not: denying wins', parseIpNetwork))
    .addOption(repeated('--allow-peer <peerId>', 'only these peers, and anonymous ones, may open connections', parsePeerId))
    .addOption(repeated('--deny-peer <peerId>', 'this peer may not: denying wins', parsePeerId))
    .option('--hidden', 'answer only those who know the static key: "matryoshka identity" shows it, and invites have it in them')
    .addOption(repeated('--exempt <network>', 'limits per source network do not apply to this one', parseIpNetwork))
    .option('--max-connections <count>', 'accepted connections that may be open (default: 16384)', count)
    .option('--max-connections-per-network <count>', 'those of one source network, a /24 or /48 (default: 1024)', count)
    .option(
      '--attempts-per-second <count>',
      'how often one source network may connect (default: 10); with --attempt-burst 0: no limit',
      count,
    )
    .option('--attempt-burst <count>', 'how often at once, after a rest (default: 100)', count);
}

/** What the flags say; numbers are checked with the options of the node. */
export function accessOptions(flags: AccessFlags): AccessOptions {
  const { allow, deny, exempt, maxConnections, maxConnectionsPerNetwork, attemptsPerSecond, attemptBurst } = flags;
  return {
    allow,
    deny,
    exempt,
    denyPeers: flags.denyPeer,
    ...(flags.allowPeer.length > 0 && { allowPeers: flags.allowPeer }),
    ...(flags.hidden === true && { hidden: true }),
    ...(maxConnections !== undefined && { maxConnections }),
    ...(maxConnectionsPerNetwork !== undefined && { maxConnectionsPerNetwork }),
    ...(attemptsPerSecond !== undefined && { attemptsPerSecond }),
    ...(attemptBurst !== undefined && { attemptBurst }),
  };
}
