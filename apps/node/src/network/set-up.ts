import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'smol-toml';
import { CliError } from '../cli-error.ts';
import type { Folders } from '../config/folders.ts';
import { prepareDataFolder } from '../daemon/data-folder.ts';
import { createSecretFile } from '../secret-file.ts';

const NETWORK_KEY_LENGTH = 32;

/** How a node is to be set up. */
export interface SetUp {
  readonly listen: readonly string[];
  readonly relay: boolean;
  /** `new`: of a network of its own; `open`: none. */
  readonly network: 'new' | 'open';
}

/**
 * Makes what a node needs: configuration, identity, network key, each for its owner only. Keys that are there stay.
 * @throws CliError `init.done` where there is a configuration already; `config.secret-…`, `daemon.folder`
 */
export async function setUpNode(folders: Folders, { listen, relay, network }: SetUp): Promise<void> {
  await prepareDataFolder(folders.data);
  await mkdir(dirname(folders.configFile), { recursive: true, mode: 0o700 });
  await createSecretFile(join(folders.data, 'identity.key'), 'identity', () => randomBytes(32).toString('hex'));
  if (network === 'new')
    await createSecretFile(join(folders.data, 'network.key'), 'network key', () => randomBytes(NETWORK_KEY_LENGTH).toString('hex'));
  // At last: where there is a configuration, all it needs is there.
  await writeConfig(folders.configFile, configText({ listen, relay, network }));
}

function configText({ listen, relay }: SetUp): string {
  return `# Configuration of a Matryoshka node. "matryoshka config keys" lists everything that can stand here;
# "matryoshka config show" checks it and shows what counts. Changes count after "matryoshka config reload".

# Where others reach this node.
${stringify({ listen: [...listen] }).trim()}

# Relaying for others: carrying their relay links, and accepting relayed connections.
[relay]
enabled = ${relay}
`;
}

async function writeConfig(file: string, content: string): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CliError(
        'init.done',
        `there is a configuration at ${file} already`,
        'change it with an editor, or run a second node with --data',
      );
    throw new CliError('config.unreadable', `cannot write the configuration ${file}: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}
