import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { type Connection, type MatryoshkaNode, connectionStatus } from '@matryoshka/node';
import { CliError } from './cli-error.ts';
import { FILE_PROTOCOL } from './file/file-message.ts';
import { printable } from './file/file-name.ts';
import { FileRefusal } from './file/file-refusal.ts';
import type { StoredFile } from './file/incoming-file.ts';
import { type Offer, receiveFile } from './file/receive-file.ts';
import { peerText } from './node-reporter.ts';
import { reportError } from './describe-error.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';
import { formatCount } from './quantities.ts';
import { receivedText } from './transfer/sent-text.ts';

/** Files that may come at the same time. */
const MAX_INCOMING = 16;

export interface ServeFilesOptions {
  readonly directory: string;
  /** Takes files from these peers only, which have to prove that they are the ones; without it from all. */
  readonly from?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onStored?: (stored: StoredFile, connection: Connection) => void;
}

/** @throws CliError `file.directory` where files cannot be written there */
export async function checkDirectory(directory: string): Promise<void> {
  try {
    if (!(await stat(directory)).isDirectory()) throw new Error('it is not a directory');
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such directory' : code === 'EACCES' || code === 'EROFS' ? 'it cannot be written to' : message;
    throw new CliError('file.directory', `cannot receive into ${directory}: ${why}`, 'name another directory with --into', {
      cause: error,
    });
  }
}

/** The files that a node receives. */
export class FileServer {
  readonly #output: Output;
  readonly #options: ServeFilesOptions;
  readonly #incoming = new Set<Promise<void>>();
  readonly #unserve: () => void;

  constructor(node: MatryoshkaNode, output: Output, options: ServeFilesOptions) {
    this.#output = output;
    this.#options = options;
    this.#unserve = node.serve(FILE_PROTOCOL, (stream, connection) => {
      const receiving = this.#receive(stream, connection).finally(() => this.#incoming.delete(receiving));
      this.#incoming.add(receiving);
    });
  }

  /** Resolves when nothing is on its way any more: files that were given up have left nothing behind then. */
  async settled(): Promise<void> {
    await Promise.all(this.#incoming);
  }

  /** Takes no more files; those on their way go on. */
  stop(): void {
    this.#unserve();
  }

  async #receive(stream: Parameters<typeof receiveFile>[0], connection: Connection): Promise<void> {
    const status = connectionStatus(connection);
    const output = this.#output;
    const startedMs = performance.now();
    let progress: Progress | undefined;
    let name: string | undefined;
    try {
      const stored = await receiveFile(stream, {
        directory: this.#options.directory,
        signal: this.#options.signal,
        refuse: (offer) => this.#refusal(connection, offer),
        onOffer: (offer) => {
          ({ name } = offer);
          output.event({ event: 'receiving', name, size: offer.size, connection: status });
          output.note(`receiving ${printable(name)}, ${formatCount(offer.size)} bytes, from ${peerText(status)}`);
          // Several bars at once would overwrite each other.
          if (!output.json && this.#incoming.size <= 1) progress = output.progress(`receiving ${printable(name)}`, offer.size);
        },
        onProgress: (received) => progress?.update(received),
      });
      progress?.stop();
      const seconds = (performance.now() - startedMs) / 1000;
      const sha256 = Buffer.from(stored.sha256).toString('hex');
      output.event(
        { event: 'received', file: stored.file, name: stored.name, size: stored.size, sha256, seconds, connection: status },
        receivedText({ file: stored.file, size: stored.size, seconds, sha256 }),
      );
      this.#options.onStored?.(stored, connection);
    } catch (error) {
      progress?.stop();
      const report = error instanceof FileRefusal ? { code: `file.${error.reason}`, message: error.message } : reportError(error);
      output.event({ event: 'receive-failed', ...(name !== undefined && { name }), error: report, connection: status });
      output.note(
        `${name === undefined ? 'a file' : printable(name)} from ${peerText(status)} was not received: ${report.message}${causeText(error)}`,
      );
    }
  }

  #refusal(connection: Connection, _offer: Offer): FileRefusal | undefined {
    const { from } = this.#options;
    if (from !== undefined && !(connection.authenticated && from.includes(connection.peerId ?? '')))
      return new FileRefusal('sender-refused');
    return this.#incoming.size > MAX_INCOMING ? new FileRefusal('busy') : undefined;
  }
}

/** What the system said, for the owner of this machine only. */
function causeText(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? ` (${cause.message})` : '';
}
