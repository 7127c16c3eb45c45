import { open, readFile, rename } from 'node:fs/promises';
import {
  type Directory,
  type DirectoryChange,
  type DirectoryContext,
  type DirectoryFactory,
  MemoryDirectory,
  type MemoryDirectoryOptions,
  type Publication,
} from '@matryoshka/circuit';
import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import { MAX_DESCRIPTOR_LENGTH, MatryoshkaError } from '@matryoshka/wire';

/** First line of the file. */
const HEADER = 'matryoshka directory 1';
/** Changes wait so long for more of them before they are written, in milliseconds. */
const GATHER_MS = 1_000;
/** The longest line: base64 of the longest descriptor. */
const MAX_LINE_LENGTH: number = Math.ceil(MAX_DESCRIPTOR_LENGTH / 3) * 4;

/**
 * A directory that outlives its node, in one file: a line of text for each descriptor, each of which carries its own
 * proof, its signature. So a damaged line costs that line, and no other. Those that have expired are kept for their
 * versions: an older one that is good for longer must not come back because the node was restarted. The file is replaced as a whole, by a new one that
 * is safely on the disk: after a crash there is the old one or the new one.
 */
export class FileDirectory implements Directory {
  readonly #file: string;
  readonly #memory: MemoryDirectory;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failure: MatryoshkaError | undefined;
  #damagedLines = 0;

  private constructor(file: string, memory: MemoryDirectory) {
    this.#file = file;
    this.#memory = memory;
  }

  /** Reads the file, if there is one. @throws MatryoshkaError `circuit.directory-failed` that names it, where it is none of ours or cannot be read */
  static async open(file: string, context: DirectoryContext, options: MemoryDirectoryOptions = {}): Promise<FileDirectory> {
    const directory = new FileDirectory(file, new MemoryDirectory(context, options));
    await directory.#read(context);
    return directory;
  }

  /** Lines of the file that were no descriptor of this network. */
  get damagedLines(): number {
    return this.#damagedLines;
  }

  publish(descriptor: VerifiedDescriptor): Publication {
    const publication = this.#memory.publish(descriptor);
    if (publication === 'added' || publication === 'replaced') this.#writeSoon();
    return publication;
  }

  get(peerId: PeerId): VerifiedDescriptor | undefined {
    return this.#memory.get(peerId);
  }

  list(): readonly VerifiedDescriptor[] {
    return this.#memory.list();
  }

  watch(listener: (change: DirectoryChange) => void): () => void {
    return this.#memory.watch(listener);
  }

  /** Writes what is not written yet. @throws MatryoshkaError `circuit.directory-failed` where the last write failed */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #read(context: DirectoryContext): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.#file, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw failed(`the directory ${this.#file} cannot be read`, error);
    }
    const [header, ...lines] = text.split('\n');
    // Another program's file would be overwritten.
    if (header !== HEADER && text !== '') throw failed(`${this.#file} is no directory: its first line is not "${HEADER}"`);
    for (const line of lines) {
      if (line === '') continue;
      try {
        if (line.length > MAX_LINE_LENGTH) throw new RangeError('too long a line');
        const descriptor = context.verify(Buffer.from(line, 'base64'));
        if (this.#memory.publish(descriptor) === 'expired') this.#memory.remember(descriptor);
      } catch {
        this.#damagedLines++;
      }
    }
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => this.#write(), GATHER_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = [...this.#memory.list(), ...this.#memory.past()].map(({ bytes }) => Buffer.from(bytes).toString('base64'));
    const text = `${[HEADER, ...lines].join('\n')}\n`;
    // One after the other, whatever became of the one before.
    this.#writing = (this.#writing ?? Promise.resolve())
      .then(() => replaceFile(this.#file, text))
      .then(
        () => void (this.#failure = undefined),
        (error: unknown) => void (this.#failure = failed(`the directory ${this.#file} cannot be written`, error)),
      );
  }
}

/** A directory in a file, `descriptors` in the data folder of a node for instance. The folder has to be there. */
export function fileDirectory(file: string, options: MemoryDirectoryOptions = {}): DirectoryFactory {
  return (context) => FileDirectory.open(file, context, options);
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text, 'latin1');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

function failed(what: string, cause?: unknown): MatryoshkaError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new MatryoshkaError('circuit.directory-failed', `${what}${why}`, { cause });
}
