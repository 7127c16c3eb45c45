import { join } from 'node:path';
import { type AcceptRequest, type MatryoshkaNode, createNode } from '@matryoshka/node';
import { fileDirectory, fileGuards } from '@matryoshka/node/directory';
import { IDENTITY_SEED_LENGTH } from '@matryoshka/session';
import { tcp } from '@matryoshka/transport/tcp';
import { websocket } from '@matryoshka/transport/websocket';
import { DIAL_FROM, IDENTITY_FILE, NETWORK_KEY_FILE } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { readIdentitySeed, readNetworkKey } from '../secret-file.ts';

export interface MakeNodeOptions {
  /** Whether key files are read that nobody named: those of the data folder. */
  readonly keepsData: boolean;
  /** Hears of relay links that are accepted here. */
  readonly onAccepted: (request: AcceptRequest) => void;
}

/**
 * The node that a configuration describes.
 * @throws CliError `config.secret-…`; MatryoshkaError `config.invalid`, `transport.listen-failed`, `node.no-transport`
 */
export async function makeNode(config: Config, { keepsData, onAccepted }: MakeNodeOptions): Promise<MatryoshkaNode> {
  const localAddress = config.get(DIAL_FROM);
  const from = localAddress === undefined ? {} : { localAddress };
  const identity = await identitySeed(config, keepsData);
  const networkKey = await networkKeyOf(config, keepsData);
  const options = config.nodeOptions();
  const { data } = config.folders;
  const accept = (request: AcceptRequest): boolean => {
    onAccepted(request);
    return true;
  };
  return createNode({
    ...options,
    transports: [tcp(from), websocket(from)],
    ...(identity !== undefined && { identity }),
    ...(networkKey !== undefined && { networkKey }),
    relay: { ...options.relay, accept },
    // What was learnt of others outlives a restart: descriptors, and the first hops of circuits.
    ...(keepsData && {
      directory: { ...options.directory, store: fileDirectory(join(data, 'directory')) },
      circuits: { ...options.circuits, guards: fileGuards(join(data, 'guards')) },
    }),
  });
}

async function identitySeed(config: Config, keepsData: boolean): Promise<Uint8Array | undefined> {
  const { value, origin } = config.setting(IDENTITY_FILE);
  return origin.kind === 'default' && !keepsData ? undefined : readIdentitySeed(value as string, IDENTITY_SEED_LENGTH);
}

/** The key of the network; undefined in an open one. @throws CliError `config.secret-…` */
async function networkKeyOf(config: Config, keepsData: boolean): Promise<Uint8Array | undefined> {
  const { value, origin } = config.setting(NETWORK_KEY_FILE);
  if (origin.kind !== 'default') return readNetworkKey(value as string);
  return keepsData ? readNetworkKey(value as string, { mayBeMissing: true }) : undefined;
}
