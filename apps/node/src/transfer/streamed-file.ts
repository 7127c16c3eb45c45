import { CliError } from '../cli-error.ts';
import type { FileSource } from '../file/send-file.ts';

/** A file whose content comes as a stream. */
export class StreamedFile implements FileSource {
  readonly name: string;
  readonly size: number;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  /** @param size - how long the content is, in bytes */
  constructor(name: string, size: number, content: AsyncIterable<Uint8Array>) {
    this.name = name;
    this.size = size;
    this.#pieces = content[Symbol.asyncIterator]();
  }

  /** Fills `buffer` from its beginning, as far as there is something; 0 at the end. @throws CliError `file.unreadable` */
  async read(buffer: Uint8Array): Promise<number> {
    try {
      while (this.#rest.length === 0) {
        // A piece follows the one before.
        // oxlint-disable-next-line no-await-in-loop
        const next = await this.#pieces.next();
        if (next.done === true) return 0;
        this.#rest = next.value;
      }
    } catch (error) {
      throw new CliError('file.unreadable', `${this.name} has not come whole: ${(error as Error).message}`, undefined, { cause: error });
    }
    const length = Math.min(buffer.length, this.#rest.length);
    buffer.set(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return length;
  }
}
