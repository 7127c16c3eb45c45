import { type ExecFileException, execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.ts';

// js-libp2p is no dependency of this workspace: it is installed into a cache of the user's when it is wanted first.

export const LIBP2P_VERSION = '3.3.11';
const VERSIONS = {
  'libp2p': LIBP2P_VERSION,
  '@chainsafe/libp2p-noise': '17.0.0',
  '@chainsafe/libp2p-yamux': '8.0.1',
  '@libp2p/circuit-relay-v2': '4.2.13',
  '@libp2p/identify': '4.1.14',
  '@libp2p/tcp': '11.0.28',
  '@multiformats/multiaddr': '13.0.3',
};
const run = promisify(execFile);
const ENTRY = `export { createLibp2p } from 'libp2p';
export { noise } from '@chainsafe/libp2p-noise';
export { yamux } from '@chainsafe/libp2p-yamux';
export { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
export { identify } from '@libp2p/identify';
export { tcp } from '@libp2p/tcp';
export { multiaddr } from '@multiformats/multiaddr';
`;

/** Bytes of a message: one array, or a list that is not joined yet. */
export type Libp2pBytes = Uint8Array | Iterable<Uint8Array>;

/** The part of a stream that is used here. */
export interface Libp2pStream {
  send(bytes: Uint8Array): boolean;
  close(): Promise<void>;
  addEventListener(type: 'message', listener: (event: { readonly data: Libp2pBytes }) => void): void;
  addEventListener(type: 'drain' | 'remoteCloseWrite', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { readonly error?: Error }) => void): void;
}

export interface Libp2pConnection {
  newStream(protocol: string, options: object): Promise<Libp2pStream>;
}

export interface Libp2pNode {
  readonly peerId: { toString(): string };
  getMultiaddrs(): readonly { toString(): string }[];
  dial(to: unknown): Promise<Libp2pConnection>;
  handle(protocol: string, handler: (stream: Libp2pStream) => void, options: object): Promise<void>;
}

/** What the entry exports, as far as it is used here; parts are only handed to each other. */
export interface Libp2pModules {
  readonly createLibp2p: (options: object) => Promise<Libp2pNode>;
  readonly noise: () => unknown;
  readonly yamux: () => unknown;
  readonly identify: () => unknown;
  readonly tcp: () => unknown;
  readonly circuitRelayServer: (options: object) => unknown;
  readonly circuitRelayTransport: () => unknown;
  readonly multiaddr: (text: string) => unknown;
}

/** A registry that does not answer must not hold up what needs none. */
const INSTALL_TIMEOUT_MS = 45_000;
const NPM_OPTIONS = [
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '--fetch-retries=1',
  '--fetch-retry-maxtimeout=1000',
  '--fetch-retry-mintimeout=1000',
  '--loglevel=error',
];

function folder(): string {
  return join(cacheFolder(), `libp2p-${LIBP2P_VERSION}`);
}

/** The script to import; it is written last, so that it is there only where everything is. */
export function libp2pEntry(): string {
  return pathToFileURL(join(folder(), 'entry.mjs')).href;
}

export async function isLibp2pInstalled(): Promise<boolean> {
  try {
    await access(new URL(libp2pEntry()));
    return true;
  } catch {
    return false;
  }
}

/** Installs it with this npm, whole or not at all. @throws Error with what npm said */
export async function installLibp2p(npm: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const partial = await mkdtemp(`${folder()}-partial-`);
  const dependencies = JSON.stringify({ private: true, type: 'module', dependencies: VERSIONS });
  const interrupted = new AbortController();
  const giveUp = (): void => {
    interrupted.abort();
    rmSync(partial, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  };
  // Also where this process ends meanwhile.
  process.on('exit', giveUp);
  try {
    await writeFile(join(partial, 'package.json'), dependencies);
    const limits = { cwd: partial, timeout: INSTALL_TIMEOUT_MS, killSignal: 'SIGKILL', signal: interrupted.signal } as const;
    await run(npm, ['install', ...NPM_OPTIONS], limits).catch((error: ExecFileException) => {
      throw new Error(whyNpmFailed(error), { cause: error });
    });
    await writeFile(join(partial, 'entry.mjs'), ENTRY);
    await moveInto(partial, folder());
  } finally {
    process.off('exit', giveUp);
    giveUp();
  }
}

/** In one line: where npm fails it says a page. */
export function whyNpmFailed({ killed, message, stderr = '' }: Pick<ExecFileException, 'killed' | 'message' | 'stderr'>): string {
  // Ended by nobody else than its deadline.
  if (killed === true) return `npm was not done after ${INSTALL_TIMEOUT_MS / 1000} s`;
  const said = /^npm error (?!code |syscall |errno )(\S.*)$/m.exec(String(stderr))?.[1];
  return `npm: ${said ?? message.split('\n', 1)[0]}`;
}

/** Whoever else installed it in the meantime did it as well; what is there without its entry is of no use. */
async function moveInto(from: string, to: string): Promise<void> {
  if (await isLibp2pInstalled()) return;
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
}
