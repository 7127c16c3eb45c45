import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

// js-libp2p is no dependency of this workspace: it is installed into a cache of the user's when it is asked for.

const VERSIONS = {
  'libp2p': '3.3.11',
  '@chainsafe/libp2p-noise': '17.0.0',
  '@chainsafe/libp2p-yamux': '8.0.1',
  '@libp2p/circuit-relay-v2': '4.2.13',
  '@libp2p/identify': '4.1.14',
  '@libp2p/tcp': '11.0.28',
  '@multiformats/multiaddr': '13.0.3',
};
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

function folder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'matryoshka-bench', `libp2p-${VERSIONS.libp2p}`);
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

/** Installs it with npm. @throws Error with what npm said */
export async function installLibp2p(): Promise<void> {
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: VERSIONS }));
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder() });
  await writeFile(new URL(libp2pEntry()), ENTRY);
}
