import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileRefusal } from './file-refusal.ts';
import { IncomingFile } from './incoming-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'matryoshka-incoming-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
const ignore = { writable: (): void => {}, failed: (): void => {} };

/** Pushes all of `bytes` and waits where it is asked to. */
async function pushAll(file: IncomingFile, bytes: Uint8Array, writable: () => Promise<void>, step = 63_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) {
    // oxlint-disable-next-line no-await-in-loop
    if (!file.push(bytes.subarray(at, at + step))) await writable();
  }
}

async function receive(name: string, bytes: Uint8Array, digest: Uint8Array = sha256(bytes), size: number = bytes.length): Promise<string> {
  let wake = (): void => {};
  const file = await IncomingFile.create(directory, name, size, { ...ignore, writable: () => wake() });
  await pushAll(file, bytes, () => new Promise((resolve) => (wake = resolve)));
  return (await file.finish(digest)).name;
}

describe('a file that arrives', () => {
  test.each([0, 1, 262_143, 262_144, 262_145, 3_000_000])('of %d bytes is there under its name, and nothing else is', async (length) => {
    const bytes = randomBytes(length);
    expect(await receive('a.bin', bytes)).toBe('a.bin');
    expect(readdirSync(directory)).toEqual(['a.bin']);
    expect(readFileSync(join(directory, 'a.bin')).equals(bytes)).toBe(true);
  });

  test('has no final name before it is whole', async () => {
    const file = await IncomingFile.create(directory, 'a.bin', 10, ignore);
    file.push(randomBytes(9));
    expect(readdirSync(directory)).not.toContain('a.bin');
    await file.abandon();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('never replaces another one', async () => {
    writeFileSync(join(directory, 'a.bin'), 'mine');
    mkdirSync(join(directory, 'a (1).bin'));
    expect(await receive('a.bin', randomBytes(5))).toBe('a (2).bin');
    expect(readFileSync(join(directory, 'a.bin'), 'utf8')).toBe('mine');
    expect(readdirSync(directory)).toHaveLength(3);
  });

  test('two of one name that arrive together are two files', async () => {
    const names = await Promise.all([receive('a.bin', randomBytes(500_000)), receive('a.bin', randomBytes(500_000))]);
    expect(names.toSorted()).toEqual(['a (1).bin', 'a.bin']);
  });
});

describe('a file that does not', () => {
  test.each([
    ['with another digest', { digest: sha256(Uint8Array.of(1)) }, 'digest-mismatch'],
    ['with another size', { size: 99 }, 'size-mismatch'],
  ])('%s is refused and gone', async (_what, { digest, size }: { digest?: Uint8Array; size?: number }, reason) => {
    await expect(receive('a.bin', randomBytes(100), digest, size)).rejects.toMatchObject({ reason });
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each(['../a', '', '.hidden', 'a\u0007'])('by the name %j is refused before anything is written', async (name) => {
    await expect(IncomingFile.create(directory, name, 1, ignore)).rejects.toMatchObject({ reason: 'name-invalid' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('larger than what is free is refused at once', async () => {
    const { bavail, bsize } = statfsSync(directory);
    await expect(IncomingFile.create(directory, 'a.bin', bavail * bsize * 2 + 1e12, ignore)).rejects.toMatchObject({ reason: 'no-space' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('into a directory that is gone is refused, without naming its path', async () => {
    const gone = join(directory, 'gone');
    const refusal = (await IncomingFile.create(gone, 'a.bin', 1, ignore).catch((error: unknown) => error)) as FileRefusal;
    expect(refusal.reason).toBe('cannot-write');
    expect(refusal.message).toContain('ENOENT');
    expect(refusal.message).not.toContain(directory);
  });

  test.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
    'fits no more while it is written: the disk is full (needs root for a small file system)',
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
      try {
        let failure: FileRefusal | undefined;
        let wake = (): void => {};
        const failed = (refusal: FileRefusal): void => {
          failure = refusal;
          wake();
        };
        const file = await IncomingFile.create(directory, 'a.bin', 3_000_000, { failed, writable: () => wake() });
        // Somebody else takes the space that was there.
        writeFileSync(join(directory, 'other'), new Uint8Array(2_500_000));
        const bytes = randomBytes(3_000_000);
        await pushAll(file, bytes, () => (failure === undefined ? new Promise((resolve) => (wake = resolve)) : Promise.resolve()));
        await expect(file.finish(sha256(bytes))).rejects.toBeDefined();
        expect(failure?.reason).toBe('no-space');
        expect(readdirSync(directory)).toEqual(['other']);
      } finally {
        execFileSync('umount', [directory]);
      }
    },
  );
});
