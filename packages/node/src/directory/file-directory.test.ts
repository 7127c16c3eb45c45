import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DirectoryContext } from '@matryoshka/circuit';
import {
  MAX_DESCRIPTOR_LIFETIME_MS,
  VerifiedDescriptor,
  createIdentity,
  descriptorNetworkId,
  networkKeyPsk,
  signDescriptor,
} from '@matryoshka/session';
import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileDirectory } from './file-directory.ts';

const provider = simulatedProvider();
const networkId = descriptorNetworkId(provider, networkKeyPsk(provider));
const unixMs = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const context = contextAt(unixMs);

function contextAt(now: number): DirectoryContext {
  return {
    unixMs: () => now,
    verify: (bytes) => VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs: now, mayHaveExpired: true }),
  };
}

function descriptorOf(seed: number, version = 1, expiresUnixMs = unixMs + HOUR_MS, now = unixMs): VerifiedDescriptor {
  const bytes = signDescriptor(createIdentity(provider, seededRandom(seed)), {
    version,
    expiresUnixMs,
    networkId,
    staticKey: new Uint8Array(32),
    staticKeyExpiresUnixMs: expiresUnixMs,
    relays: true,
    bandwidthBytesPerSecond: 0,
    limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
    operator: '',
    software: '',
    endpoints: [],
  });
  return contextAt(now).verify(bytes);
}

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-directory-'));
  file = join(folder, 'descriptors');
});
afterEach(() => rmSync(folder, { recursive: true }));

const idsOf = (directory: FileDirectory): string[] => directory.list().map(({ peerId }) => peerId);

describe('a directory in a file', () => {
  test('is there again after its node', async () => {
    const before = await FileDirectory.open(file, context);
    const descriptors = [descriptorOf(1), descriptorOf(2), descriptorOf(1, 2)];
    expect(descriptors.map((each) => before.publish(each))).toEqual(['added', 'added', 'replaced']);
    await before.close();
    const after = await FileDirectory.open(file, context);
    expect(after.damagedLines).toBe(0);
    expect(new Set(after.list().map(({ bytes }) => Buffer.from(bytes).toString('hex')))).toEqual(
      new Set(before.list().map(({ bytes }) => Buffer.from(bytes).toString('hex'))),
    );
    expect(after.get(descriptors[0]!.peerId)?.version).toBe(2);
    // Nothing else lies around.
    expect(readdirSync(folder)).toEqual(['descriptors']);
  });

  test.each([
    { when: 'while its node was down', before: unixMs },
    { when: 'before its node went down', before: unixMs + HOUR_MS },
  ])('a descriptor that expired $when is not followed by an older one that is good for longer', async ({ before }) => {
    const old = descriptorOf(1, 1, unixMs + 24 * HOUR_MS);
    const newer = descriptorOf(1, 2);
    const first = await FileDirectory.open(file, context);
    first.publish(newer);
    await first.close();
    const second = await FileDirectory.open(file, contextAt(before));
    // Written anew, with what has expired by then.
    second.publish(descriptorOf(2, 1, unixMs + 24 * HOUR_MS));
    await second.close();
    const third = await FileDirectory.open(file, contextAt(unixMs + 2 * HOUR_MS));
    expect(third.damagedLines).toBe(0);
    expect(third.publish(old)).toBe('known');
    expect(third.publish(descriptorOf(1, 3, unixMs + 24 * HOUR_MS))).toBe('added');
    expect(third.publish(old)).toBe('known');
  });

  test('what expired a week ago is written no more', async () => {
    const directory = await FileDirectory.open(file, context);
    directory.publish(descriptorOf(1));
    await directory.close();
    const later = unixMs + HOUR_MS + MAX_DESCRIPTOR_LIFETIME_MS;
    const after = await FileDirectory.open(file, contextAt(later));
    after.publish(descriptorOf(2, 1, later + HOUR_MS, later));
    await after.close();
    expect(readFileSync(file, 'latin1').trimEnd().split('\n')).toHaveLength(2);
  });

  test('damage costs the line it is in, and a forged line changes nothing', async () => {
    const directory = await FileDirectory.open(file, context);
    const descriptors = [1, 2, 3, 4].map((seed) => descriptorOf(seed));
    for (const each of descriptors) directory.publish(each);
    await directory.close();
    const lines = readFileSync(file, 'latin1').split('\n');
    lines[2] = `${lines[2]!.slice(0, 100)}\0${lines[2]!.slice(101)}`;
    lines[3] = lines[3]!.slice(0, 50);
    writeFileSync(file, lines.join('\n'), 'latin1');
    const after = await FileDirectory.open(file, context);
    expect(after.damagedLines).toBe(2);
    expect(idsOf(after)).toEqual([descriptors[0]!.peerId, descriptors[3]!.peerId]);
  });

  test('a crash between two writes leaves the old file or the new one', async () => {
    const directory = await FileDirectory.open(file, context);
    directory.publish(descriptorOf(1));
    await directory.close();
    // Half of a new one, never put into its place.
    writeFileSync(`${file}.new`, 'matryoshka direc');
    const after = await FileDirectory.open(file, context);
    expect(idsOf(after)).toEqual([descriptorOf(1).peerId]);
    after.publish(descriptorOf(2));
    await after.close();
    expect(readdirSync(folder)).toEqual(['descriptors']);
    // A file that was cut to nothing is an empty directory.
    writeFileSync(file, '');
    expect(idsOf(await FileDirectory.open(file, context))).toEqual([]);
  });

  test('any other file is left alone, and named', async () => {
    writeFileSync(file, 'dear diary\n');
    await expect(FileDirectory.open(file, context)).rejects.toMatchObject({
      code: 'circuit.directory-failed',
      message: expect.stringContaining(`${file} is no directory`),
    });
    expect(readFileSync(file, 'utf8')).toBe('dear diary\n');
    await expect(FileDirectory.open(folder, context)).rejects.toMatchObject({ code: 'circuit.directory-failed' });
  });

  test('what cannot be written is told when it is closed', async () => {
    const directory = await FileDirectory.open(join(folder, 'missing', 'descriptors'), context);
    directory.publish(descriptorOf(1));
    await expect(directory.close()).rejects.toMatchObject({ code: 'circuit.directory-failed' });
  });
});
