import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from './workspace.ts';

/**
 * The environment for tools of the workspace: this Node and the workspace's binaries first, and `pnpm` on PATH, which
 * turbo and publint call by name. Where only npx is there, a two-line script stands in for it.
 */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const folders = [dirname(process.execPath), join(ROOT, 'node_modules', '.bin'), ...path];
  if (!path.some((folder) => existsSync(join(folder, 'pnpm')))) folders.push(standIn());
  return { ...process.env, PATH: folders.join(delimiter), TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
}

function standIn(): string {
  const folder = mkdtempSync(join(tmpdir(), 'matryoshka-pnpm-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'pnpm');
  writeFileSync(file, '#!/bin/sh\nexec npx -y pnpm@12 "$@"\n');
  chmodSync(file, 0o755);
  return folder;
}
