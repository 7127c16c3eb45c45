import type { Transferred } from '../events.ts';
import { printable } from '../file/file-name.ts';
import { formatCount, formatRate } from '../quantities.ts';

/** What people read of a file that was sent. */
export function sentText(name: string, { size, seconds, sha256, storedAs }: Transferred & { readonly storedAs: string }): string {
  return `sent ${printable(name)}: ${formatCount(size)} bytes in ${seconds.toFixed(2)} s, ${formatRate(size / seconds)}, stored as ${storedAs}\nSHA-256 ${sha256}, the same at both ends`;
}

/** What people read of a file that was received. */
export function receivedText({ file, size, seconds, sha256 }: Transferred & { readonly file: string }): string {
  return `received ${file}: ${formatCount(size)} bytes in ${seconds.toFixed(2)} s, ${formatRate(size / seconds)}, SHA-256 ${sha256}`;
}
