import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the benchmark keeps what is to be found again by its next run, and may be deleted at any time. */
export function cacheFolder(): string {
  // An empty variable counts as unset (XDG Base Directory Specification §3).
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'matryoshka-bench');
}
