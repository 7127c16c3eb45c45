import { constants } from 'node:os';
import { type Server, connect } from 'node:net';
import { CliError } from './cli-error.ts';

/** What the address of a local socket holds, in bytes (`sun_path`, without the zero at its end). */
const MAX_PATH_LENGTH = process.platform === 'linux' ? 107 : 103;

/**
 * Listens on a local socket that only the owner of this process may connect to.
 * @returns false where something is at that path already
 * @throws CliError `daemon.socket` that says what is wrong with the path
 */
export async function listenOnSocket(server: Server, path: string): Promise<boolean> {
  if (process.platform !== 'win32' && Buffer.byteLength(path) > MAX_PATH_LENGTH)
    throw new CliError(
      'daemon.socket',
      `the path of the local socket ${path} is too long: ${Buffer.byteLength(path)} bytes, ${MAX_PATH_LENGTH} at most`,
      'name a shorter data folder with --data',
    );
  // Made with the right mode at once: between bind and chmod others could connect.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
      // The system binds within listen().
      process.umask(mask);
    });
    return true;
  } catch (error) {
    const { errno, message } = error as NodeJS.ErrnoException;
    if (errno === -constants.errno.EADDRINUSE) return false;
    throw new CliError('daemon.socket', `cannot listen on the local socket ${path}: ${message}`, 'name another data folder with --data', {
      cause: error,
    });
  } finally {
    process.umask(mask);
  }
}

/** Whether some process listens on the local socket at `path`. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.on('connect', () => done(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => done(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
