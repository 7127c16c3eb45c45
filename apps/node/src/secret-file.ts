import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

/** A secret is short: more is something else than a key. */
const MAX_SECRET_FILE_LENGTH = 4096;
const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

async function readSecretText(path: string, handle: FileHandle, what: string): Promise<string> {
  const stats = await handle.stat();
  // Windows has no such bits; there a file is as private as its folder.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    throw new CliError('config.secret-exposed', `${path}, the ${what}, can be read by others than its owner`, `run: chmod 600 ${path}`);
  }
  if (!stats.isFile() || stats.size > MAX_SECRET_FILE_LENGTH)
    throw new CliError('config.secret-invalid', `${path} is not the file of a ${what}`);
  return (await handle.readFile('utf8')).trim();
}

async function readSecret(path: string, handle: FileHandle, what: string): Promise<Uint8Array> {
  const text = await readSecretText(path, handle, what);
  if (HEX.test(text)) return new Uint8Array(Buffer.from(text, 'hex'));
  if (BASE64.test(text)) return new Uint8Array(Buffer.from(text, 'base64'));
  throw new CliError('config.secret-invalid', `${path} holds no ${what}: expected hex or base64`);
}

function unreadable(path: string, what: string, error: unknown): CliError {
  return new CliError('config.secret-unreadable', `cannot read ${path}, the ${what}: ${(error as Error).message}`, undefined, {
    cause: error,
  });
}

/**
 * The seed of an identity, 32 bytes, from its file. A missing file is made, readable by its owner only.
 * @throws CliError `config.secret-exposed` where others can read it, `config.secret-invalid`, `config.secret-unreadable`
 */
export async function readIdentitySeed(path: string, seedLength: number): Promise<Uint8Array> {
  await createSecretFile(path, 'identity', () => randomBytes(seedLength).toString('hex'));
  const seed = await withFile(path, 'identity', (handle) => readSecret(path, handle, 'identity'));
  if (seed.length !== seedLength)
    throw new CliError('config.secret-invalid', `${path} holds ${seed.length} bytes; the seed of an identity has ${seedLength}`);
  return seed;
}

/** Makes the file of a secret, readable by its owner only, unless it is there. */
export async function createSecretFile(path: string, what: string, secret: () => string): Promise<boolean> {
  const failed = (error: unknown): CliError =>
    new CliError('config.secret-unreadable', `cannot make ${path} for the ${what}: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw failed(error);
  }
  try {
    await handle.writeFile(`${secret()}\n`);
    await handle.sync();
    return true;
  } catch (error) {
    // Half a secret would be in the way of the next start.
    await rm(path, { force: true });
    throw failed(error);
  } finally {
    await handle.close();
  }
}

/** The token of the control API from its file, which is made if missing. @throws CliError as for identities */
export async function readOrMakeToken(path: string): Promise<string> {
  await createSecretFile(path, 'token', () => randomBytes(32).toString('base64url'));
  const token = await withFile(path, 'token', (handle) => readSecretText(path, handle, 'token'));
  if (!/^[\w-]{32,}$/.test(token)) throw new CliError('config.secret-invalid', `${path} holds no token`, 'delete it: another one is made');
  return token;
}

/** The key of a closed network from its file. @throws CliError as for identities; a missing file is none of ours to make */
export async function readNetworkKey(path: string): Promise<Uint8Array>;
/** The same of a file that may be missing: then the network is an open one. */
export async function readNetworkKey(path: string, options: { readonly mayBeMissing: true }): Promise<Uint8Array | undefined>;
export async function readNetworkKey(path: string, options?: { readonly mayBeMissing: true }): Promise<Uint8Array | undefined> {
  try {
    return await withFile(path, 'network key', (handle) => readSecret(path, handle, 'network key'));
  } catch (error) {
    const cause = error instanceof CliError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    if (options?.mayBeMissing === true && cause?.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function withFile<T>(path: string, what: string, run: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((error: unknown) => {
    throw unreadable(path, what, error);
  });
  try {
    return await run(handle);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(path, what, error);
  } finally {
    await handle.close();
  }
}
