import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { CliError } from '../cli-error.ts';
import { fileNameFault } from './file-name.ts';

const STREAM_READ_LENGTH: number = 256 * 1024;

/** A file that is read from its beginning to its end, once. */
export class OutgoingFile implements AsyncDisposable {
  /** What the receiver is told. */
  readonly name: string;
  /** In bytes, when it was opened. */
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  /**
   * Opens a file to send.
   * @param name - what the receiver is told; the last part of the path by default
   * @throws CliError `file.unreadable` that says why, `file.name-invalid`
   */
  static async open(path: string, name: string = basename(path)): Promise<OutgoingFile> {
    const fault = fileNameFault(name);
    if (fault !== undefined)
      throw new CliError(
        'file.name-invalid',
        `${JSON.stringify(name)} is no name a receiver takes: ${fault}`,
        'name it otherwise with --name',
      );
    const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw unreadable(
        path,
        error.code === 'ENOENT' ? 'there is no such file' : error.code === 'EACCES' ? 'permission denied' : error.message,
        error,
      );
    });
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw unreadable(path, stats.isDirectory() ? 'it is a directory' : 'it is not a regular file');
      return new OutgoingFile(name, stats.size, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Reads the next bytes into `buffer`; 0 at the end. @throws CliError `file.unreadable` */
  async read(buffer: Uint8Array): Promise<number> {
    try {
      return (await this.#handle.read(buffer, 0, buffer.length)).bytesRead;
    } catch (error) {
      throw unreadable(this.name, (error as Error).message, error);
    }
  }

  /** All of it, as far as it had come to be when it was opened. */
  stream(): Readable {
    return this.size === 0
      ? Readable.from([])
      : this.#handle.createReadStream({ start: 0, end: this.size - 1, autoClose: false, highWaterMark: STREAM_READ_LENGTH });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

function unreadable(file: string, why: string, cause?: unknown): CliError {
  return new CliError('file.unreadable', `cannot read ${file}: ${why}`, undefined, { cause });
}
