import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { Guard, GuardStore } from '@matryoshka/circuit';
import { MatryoshkaError } from '@matryoshka/wire';
import { parsePeerId } from '@matryoshka/session';
import * as z from 'zod';

const guardsSchema = z.strictObject({
  version: z.literal(1),
  guards: z.array(z.strictObject({ peerId: z.string(), untilUnixMs: z.number() })).max(60),
});

/**
 * Entry guards that are there again after a restart, in a file of JSON; its folder has to be there. It is read when it is
 * made. It changes a few times in a year, so it is written at once.
 * @throws MatryoshkaError `circuit.directory-failed` that names the file where it cannot be read or is damaged: whoever
 * forgets its guards has to say so, by removing it
 */
export function fileGuards(file: string): GuardStore {
  const guards = readGuards(file);
  return { load: () => guards, save: (changed) => writeGuards(file, changed) };
}

function readGuards(file: string): readonly Guard[] {
  try {
    const { guards } = guardsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return guards.map(({ peerId, untilUnixMs }) => ({ peerId: parsePeerId(peerId), untilUnixMs }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw failed(`the entry guards in ${file} cannot be read`, error);
  }
}

function writeGuards(file: string, guards: readonly Guard[]): void {
  try {
    const descriptor = openSync(`${file}.new`, 'w', 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify({ version: 1, guards }, undefined, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw failed(`the entry guards cannot be written to ${file}`, error);
  }
}

function failed(what: string, cause: unknown): MatryoshkaError {
  return new MatryoshkaError('circuit.directory-failed', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
