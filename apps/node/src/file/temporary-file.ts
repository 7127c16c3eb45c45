import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const unfinished = new Set<string>();

/** Whatever ends this process while a file is half there, short of a kill: nothing of it stays. */
function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // It may be gone already, and nobody is left to be told.
    }
  }
}

/** A file under a name of its own, which goes away with the process unless it is kept. */
export interface TemporaryFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Deletes it. Idempotent. */
  remove(): Promise<void>;
  /** It has another name now, or none: nothing is to be deleted any more. */
  forget(): void;
}

/** Makes a temporary file in `directory`, so that it can get its final name without being copied. */
export async function createTemporaryFile(directory: string): Promise<TemporaryFile> {
  const path = join(directory, `.matryoshka-${randomBytes(8).toString('hex')}.part`);
  const handle = await open(path, 'wx');
  if (unfinished.size === 0) process.on('exit', removeUnfinished);
  unfinished.add(path);
  const forget = (): void => {
    if (unfinished.delete(path) && unfinished.size === 0) process.off('exit', removeUnfinished);
  };
  const remove = async (): Promise<void> => {
    await handle.close().catch(() => {});
    if (unfinished.has(path)) await unlink(path).catch(() => {});
    forget();
  };
  return { path, handle, remove, forget };
}
