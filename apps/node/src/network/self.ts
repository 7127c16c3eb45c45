import { formatStaticKey } from '@matryoshka/node';
import { IDENTITY_SEED_LENGTH, identityFromSeed, portableProvider, staticKeyOf } from '@matryoshka/session';
import { stat } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';
import { IDENTITY_FILE } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { readIdentitySeed } from '../secret-file.ts';

/** Who a node is. */
export interface Self {
  readonly peerId: string;
  /** What a hidden node has to be called by, too. */
  readonly staticKey: string;
  /** The file that holds the secret of it. */
  readonly file: string;
}

/** Who the node of a configuration is, without running it. @throws CliError `identity.missing`, `config.secret-…` */
export async function selfOf(config: Config): Promise<Self> {
  const file = config.get(IDENTITY_FILE);
  await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new CliError('identity.missing', `there is no identity at ${file}`, 'matryoshka init makes one');
  });
  const identity = identityFromSeed(portableProvider, await readIdentitySeed(file, IDENTITY_SEED_LENGTH));
  return { peerId: identity.peerId, staticKey: formatStaticKey(staticKeyOf(portableProvider, identity).publicKey), file };
}
