import { parseStaticKey } from '@matryoshka/node';
import { parsePeerId } from '@matryoshka/session';
import { NETWORK_KEY_FILE } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { readNetworkKey } from '../secret-file.ts';
import { encodeInvite } from './invite.ts';
import { selfOf } from './self.ts';

/** The invite of a node that does not run. @throws CliError `identity.missing`, `config.secret-…` */
export async function inviteAlone(
  config: Config,
  endpoints: readonly string[],
): Promise<{ readonly invite: string; readonly endpoints: readonly string[]; readonly peerId: string }> {
  const { peerId, staticKey } = await selfOf(config);
  const networkKey = await readNetworkKey(config.get(NETWORK_KEY_FILE), { mayBeMissing: true });
  const invite = encodeInvite({
    peerId: parsePeerId(peerId),
    endpoints,
    ...(networkKey !== undefined && { networkKey }),
    ...(config.effectiveNodeOptions().access.hidden && { staticKey: parseStaticKey(staticKey) }),
  });
  return { invite, endpoints, peerId };
}
