import { execFile } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PAGE_FOLDER } from '../../control/page.ts';
import { DemoError } from '../demo-error.ts';

/** Where its sources are, in a clone; a package that was installed has the page and no sources. */
const SOURCES: string = join(PAGE_FOLDER, '..', '..', 'dashboard');

/**
 * Builds the dashboard where it is missing, or older than its sources.
 * @param announce - is called before, since it takes some seconds
 * @throws DemoError that says what the build said
 */
export async function buildPageIfNeeded(announce: () => void, signal: AbortSignal): Promise<void> {
  if (!isOutdated(PAGE_FOLDER, SOURCES)) return;
  announce();
  const vite = join(SOURCES, 'node_modules', 'vite', 'bin', 'vite.js');
  try {
    // Vite would leave compiled code of its own in the folder for temporary files.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
    await promisify(execFile)(process.execPath, [vite, 'build'], { cwd: SOURCES, env, signal });
  } catch (error) {
    signal.throwIfAborted();
    const { stdout = '', stderr = '', message } = error as Error & { readonly stdout?: string; readonly stderr?: string };
    throw new DemoError(`the dashboard could not be built: ${`${stdout}${stderr}`.trim() || message}`, { cause: error });
  }
}

/** Whether there are sources, and no page that was built after they were changed. */
export function isOutdated(folder: string, sources: string): boolean {
  const files = globSync('{*,src/**/*,public/**/*}', { cwd: sources, withFileTypes: true }).filter((entry) => entry.isFile());
  if (files.length === 0) return false;
  const built = statSync(join(folder, 'index.html'), { throwIfNoEntry: false });
  return built === undefined || files.some(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs > built.mtimeMs);
}
