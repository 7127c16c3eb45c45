import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';

const PIECE_LENGTH: number = 1024 * 1024;

/** Makes a file of random bytes. @throws the reason of `signal` */
export async function makeTestFile(path: string, length: number, signal: AbortSignal): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    const piece = new Uint8Array(PIECE_LENGTH);
    for (let left = length; left > 0;) {
      signal.throwIfAborted();
      randomFillSync(piece);
      // In order, and one piece in memory.
      // oxlint-disable-next-line no-await-in-loop
      const { bytesWritten } = await handle.write(piece, 0, Math.min(left, PIECE_LENGTH));
      left -= bytesWritten;
    }
  } finally {
    await handle.close();
  }
}
