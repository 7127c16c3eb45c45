import { createHash } from 'node:crypto';
import { link, open, rename, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameFault, numberedName } from './file-name.ts';
import { FileRefusal, refusalOf } from './file-refusal.ts';
import { type TemporaryFile, createTemporaryFile } from './temporary-file.ts';

/** Bytes are written to disk in pieces of this size. */
const WRITE_LENGTH: number = 256 * 1024;
/** This many pieces may wait for the disk before the sender is slowed down. */
const MAX_WAITING = 2;
/** Names that are tried where others are taken. */
const MAX_NUMBERED = 1000;

/** A file that has arrived whole. */
export interface StoredFile {
  /** Its path. */
  readonly file: string;
  /** The last part of it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Of what was received, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** What the owner of an incoming file hears. */
export interface IncomingFileHandler {
  /** `push` returned false and may go on. */
  writable(): void;
  failed(refusal: FileRefusal): void;
}

/**
 * A file on its way to the disk: written under a temporary name beside its own, hashed as it comes, and given its name
 * when size and digest are right and all of it is on the disk. No file that is there is ever replaced.
 */
export class IncomingFile {
  readonly #directory: string;
  readonly #name: string;
  readonly #expected: number;
  readonly #temporary: TemporaryFile;
  readonly #handler: IncomingFileHandler;
  readonly #hash = createHash('sha256');
  readonly #waiting: Uint8Array[] = [];
  readonly #free: Uint8Array[] = [];
  #piece: Uint8Array = new Uint8Array(WRITE_LENGTH);
  #filled = 0;
  #received = 0;
  #writing: Promise<void> | undefined;
  #over = false;

  private constructor(directory: string, name: string, expected: number, temporary: TemporaryFile, handler: IncomingFileHandler) {
    this.#directory = directory;
    this.#name = name;
    this.#expected = expected;
    this.#temporary = temporary;
    this.#handler = handler;
  }

  /**
   * Begins a file in `directory`.
   * @param size - the announced one, in bytes
   * @throws FileRefusal `name-invalid`, `no-space`, `cannot-write`
   */
  static async create(directory: string, name: string, size: number, handler: IncomingFileHandler): Promise<IncomingFile> {
    const fault = fileNameFault(name);
    if (fault !== undefined) throw new FileRefusal('name-invalid', `the file name is not taken: ${fault}`);
    try {
      const { bavail, blocks, bsize } = await statfs(directory);
      // Some file systems know no sizes; there only writing shows.
      if (blocks > 0 && bavail * bsize < size)
        throw new FileRefusal('no-space', `the file has ${size} bytes, ${bavail * bsize} are free at the receiver`);
      return new IncomingFile(directory, name, size, await createTemporaryFile(directory), handler);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Bytes that have come so far. */
  get received(): number {
    return this.#received;
  }

  /** Takes bytes, which are copied. False asks to wait for `writable`. */
  push(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    this.#hash.update(bytes);
    this.#received += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const length = Math.min(WRITE_LENGTH - this.#filled, bytes.length - at);
      this.#piece.set(bytes.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === WRITE_LENGTH) this.#queue();
    }
    return this.#waiting.length < MAX_WAITING;
  }

  /**
   * All has come: checks it, waits until it is on the disk, and gives it its name, numbered where that is taken.
   * @param sha256 - the sender's digest, 32 bytes
   * @throws FileRefusal `size-mismatch`, `digest-mismatch`, `no-space`, `cannot-write`; the temporary file is gone then
   */
  async finish(sha256: Uint8Array): Promise<StoredFile> {
    const own = this.#hash.digest();
    try {
      if (this.#received !== this.#expected)
        throw new FileRefusal('size-mismatch', `${this.#expected} bytes were announced, ${this.#received} came`);
      if (Buffer.compare(own, sha256) !== 0) throw new FileRefusal('digest-mismatch');
      if (this.#filled > 0) this.#queue();
      await this.#writing;
      // A write has failed: the owner has heard, and the file is gone.
      if (this.#over) throw new FileRefusal('cannot-write');
      await this.#temporary.handle.sync();
      await this.#temporary.handle.close();
      const name = await this.#place();
      this.#over = true;
      return { file: join(this.#directory, name), name, size: this.#received, sha256: new Uint8Array(own) };
    } catch (error) {
      await this.abandon();
      throw refusalOf(error);
    }
  }

  /** Gives it up and deletes what there is. Idempotent. */
  async abandon(): Promise<void> {
    this.#over = true;
    this.#waiting.length = 0;
    await this.#temporary.remove();
  }

  #queue(): void {
    this.#waiting.push(this.#filled === WRITE_LENGTH ? this.#piece : this.#piece.subarray(0, this.#filled));
    this.#piece = this.#free.pop() ?? new Uint8Array(WRITE_LENGTH);
    this.#filled = 0;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      for (let piece = this.#waiting[0]; piece !== undefined && !this.#over; piece = this.#waiting[0]) {
        // One after the other: the order is the file's.
        // oxlint-disable-next-line no-await-in-loop
        await this.#writeAll(piece);
        const full = this.#waiting.length >= MAX_WAITING;
        this.#waiting.shift();
        if (piece.length === WRITE_LENGTH) this.#free.push(piece);
        if (full && this.#waiting.length < MAX_WAITING && !this.#over) this.#handler.writable();
      }
    } catch (error) {
      if (!this.#over) {
        void this.abandon();
        this.#handler.failed(refusalOf(error));
      }
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      // oxlint-disable-next-line no-await-in-loop
      const { bytesWritten } = await this.#temporary.handle.write(piece, at, piece.length - at);
      at += bytesWritten;
    }
  }

  async #place(): Promise<string> {
    for (let number = 0; number < MAX_NUMBERED; number++) {
      const name = numberedName(this.#name, number);
      if (name === undefined) break;
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#placeAs(join(this.#directory, name))) {
        // oxlint-disable-next-line no-await-in-loop
        await syncDirectory(this.#directory);
        return name;
      }
    }
    throw new FileRefusal('name-invalid', 'the name and all its numbered forms are taken at the receiver');
  }

  /** False where something has that name. A rename would replace it; a link never does. */
  async #placeAs(path: string): Promise<boolean> {
    try {
      await link(this.#temporary.path, path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
      return this.#renameTo(path);
    }
    await unlink(this.#temporary.path);
    this.#temporary.forget();
    return true;
  }

  /** For file systems without links: the name is taken with an empty file of ours, which the rename replaces. */
  async #renameTo(path: string): Promise<boolean> {
    try {
      await (await open(path, 'wx')).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
    try {
      await rename(this.#temporary.path, path);
    } catch (error) {
      await unlink(path);
      throw error;
    }
    this.#temporary.forget();
    return true;
  }
}

/** The name is in the directory for good; where directories cannot be synced there is nothing to do. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
