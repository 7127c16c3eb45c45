import { randomBytes } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import { type Server, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { listenOnSocket } from '../local-socket.ts';

/** How long a holder may take to say who it is, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 5;

/** Who holds a data folder. */
export interface LockHolder {
  readonly pid: number;
}

/**
 * The one node that runs in a data folder, by a socket in it that this process listens on. The system itself says whether
 * it does: a socket that nobody listens on refuses connections, so what a crash has left behind is known for stale, whatever
 * process has the same number today and in whatever container the other one runs.
 *
 * | the socket | means | what is done |
 * |---|---|---|
 * | is not there | nobody holds it | listen on it |
 * | accepts | another node holds it | `daemon.busy` |
 * | refuses | its holder has crashed | moved away, looked at once more, removed; then listen |
 */
export class InstanceLock implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param data - the folder; it exists
   * @throws CliError `daemon.busy` that names the process which holds it; `daemon.socket` where the folder takes no sockets
   */
  static async acquire(data: string): Promise<InstanceLock> {
    const path = join(data, 'lock');
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // Each attempt follows from how the one before it ended.
      // oxlint-disable-next-line no-await-in-loop
      const server = await listen(path);
      if (server !== undefined) return new InstanceLock(server);
      // oxlint-disable-next-line no-await-in-loop
      const holder = await askHolder(path);
      if (holder !== undefined) throw busy(data, holder);
      // oxlint-disable-next-line no-await-in-loop
      await removeStale(path, data);
    }
    throw new CliError('daemon.busy', `other nodes are starting with the data folder ${data}`, 'try again');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The socket's file goes with it.
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function busy(data: string, { pid }: LockHolder): CliError {
  return new CliError(
    'daemon.busy',
    `a node is running with the data folder ${data}${pid === 0 ? '' : `, process ${pid}`}`,
    'ask it with "matryoshka status", stop it, or name another folder with --data',
  );
}

async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${process.pid}\n`);
  });
  server.maxConnections = 16;
  return (await listenOnSocket(server, path)) ? server : undefined;
}

/** Whoever listens there; undefined where nobody does. One that does not answer holds it all the same. */
function askHolder(path: string): Promise<LockHolder | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    const done = (holder: LockHolder | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(holder);
    };
    const holder = (): LockHolder => ({ pid: /^\d+\n$/.test(answer) ? Number(answer) : 0 });
    const timer = setTimeout(() => done(holder()), ANSWER_TIMEOUT_MS);
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer = (answer + text).slice(0, 32);
    });
    socket.on('end', () => done(holder()));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => done(code === 'ECONNREFUSED' || code === 'ENOENT' ? undefined : holder()));
  });
}

/** Moves it away first: of several that find it stale, one does, and what it moved it can look at undisturbed. */
async function removeStale(path: string, data: string): Promise<void> {
  const moved = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, moved);
  } catch {
    // Another one was faster.
    return;
  }
  const holder = await askHolder(moved);
  // Between the two looks another one has removed the stale socket and listens on its own: that goes back.
  if (holder !== undefined) await link(moved, path).catch(() => {});
  await rm(moved, { force: true });
  if (holder !== undefined) throw busy(data, holder);
}
