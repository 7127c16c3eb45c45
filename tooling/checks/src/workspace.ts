import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Folder of the repository. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

/** The part of a package.json that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly keywords?: readonly string[];
  readonly sideEffects?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, Conditions>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What an entry of `exports` leads to: a file, or one per condition. */
export type Conditions = string | { readonly [condition: string]: Conditions };

/** A package of the workspace. */
export interface WorkspacePackage {
  /** Its folder, as `packages/wire`. */
  readonly path: string;
  /** The same, absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Reads a JSON file of the repository; the caller says what it holds. */
export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')) as T;
}

/** The lines under `packages:` of pnpm-workspace.yaml, in their order. */
export function workspacePatterns(): readonly string[] {
  const text = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8');
  const block = /^packages:\n((?:[ \t]+.*\n)+)/m.exec(text)?.[1] ?? '';
  return [...block.matchAll(/^\s+- ["']?([^"'\s]+)/gm)].map((match) => match[1] as string);
}

/** Every package of the workspace, in the order of pnpm-workspace.yaml. */
export function workspacePackages(): readonly WorkspacePackage[] {
  const folders = workspacePatterns().flatMap((pattern) => globSync(pattern, { cwd: ROOT }).toSorted());
  return folders
    .filter((path) => existsSync(join(ROOT, path, 'package.json')))
    .map((path) => ({
      path: relative(ROOT, join(ROOT, path)),
      folder: join(ROOT, path),
      manifest: readJson<Manifest>(path, 'package.json'),
    }));
}

/** Those that are published. */
export function publishedPackages(): readonly WorkspacePackage[] {
  return workspacePackages().filter(({ manifest }) => manifest.private !== true);
}

/** Every file that belongs to the repository, or will with the next commit, by its path from the root. */
export function repositoryFiles(): readonly string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' });
  return output.split('\0').filter((path) => path !== '' && statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile() === true);
}
