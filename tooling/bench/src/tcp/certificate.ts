import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Certificate } from './sockets.ts';

/** A block of PEM, by its label (RFC 7468 §3). */
const BLOCK = /-----BEGIN (.*)-----\n[^]*?-----END \1-----\n/g;

let made: Promise<Certificate> | undefined;

/** The certificate of this run; it is never on disk. @throws Error where there is no `openssl` */
export function certificate(): Promise<Certificate> {
  return (made ??= make());
}

async function make(): Promise<Certificate> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  // Both go to standard output.
  const files = ['-keyout', '-', '-out', '-'];
  const { stdout } = await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...files, '-days', '2', '-subj', '/CN=bench']);
  const blocks = new Map([...stdout.matchAll(BLOCK)].map(([block, label]) => [label, block]));
  const [key, cert] = [blocks.get('PRIVATE KEY'), blocks.get('CERTIFICATE')];
  if (key === undefined || cert === undefined) throw new Error('openssl made no certificate');
  return { key, cert };
}
