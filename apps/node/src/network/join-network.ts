import { formatStaticKey } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import { NETWORK_KEY_FILE } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { replaceJoinedPeers } from '../config/joined-peers.ts';
import { readNetworkKey } from '../secret-file.ts';
import { writeFileAtomically } from '../write-file.ts';
import type { Invite } from './invite.ts';

/** What joining has changed. */
export interface Joined {
  readonly peerId: string;
  /** Whether the node is in another network than before: it has to be started again. */
  readonly networkChanged: boolean;
}

/**
 * Writes down what an invite says: the key of the network, and where its node is.
 * @param replace - leaves the network that the node is in for the one of the invite
 * @throws CliError `join.other-network` where the node is in another network and has peers there; `config.secret-…`
 */
export async function joinNetwork(config: Config, invite: Invite, replace: boolean): Promise<Joined> {
  const { value, origin } = config.setting(NETWORK_KEY_FILE);
  const file = value as string;
  const own = await readNetworkKey(file, { mayBeMissing: true });
  const networkChanged = Buffer.compare(own ?? Buffer.of(), invite.networkKey ?? Buffer.of()) !== 0;
  if (networkChanged) {
    const hasPeers = (config.nodeOptions().peers ?? []).length > 0;
    if (hasPeers && !replace)
      throw new CliError(
        'join.other-network',
        'the invite is to another network than the one this node has peers in',
        'leave that one with --replace, or run a second node with another --data folder',
      );
    if (invite.networkKey === undefined || origin.kind === 'environment' || origin.kind === 'flag')
      throw new CliError(
        'join.other-network',
        invite.networkKey === undefined
          ? 'the invite is to an open network, and this node has the key of a closed one'
          : `the network key is set by ${origin.kind}`,
        `remove ${file}, and try again`,
      );
    await writeFileAtomically(file, `${Buffer.from(invite.networkKey).toString('hex')}\n`);
  }
  const name = invite.staticKey === undefined ? invite.peerId : `${invite.peerId}+${formatStaticKey(invite.staticKey)}`;
  await replaceJoinedPeers(
    config.folders.data,
    invite.endpoints.map((endpoint) => `${name}@${endpoint}`),
    { forgetOthers: networkChanged && replace },
  );
  return { peerId: invite.peerId, networkChanged };
}
