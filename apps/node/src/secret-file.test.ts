import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readIdentitySeed, readNetworkKey } from './secret-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-secret-'));
  file = join(folder, 'secret');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(text: string, mode = 0o600): void {
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
}

describe('an identity', () => {
  test('is made once, for its owner only, and stays', async () => {
    const seed = await readIdentitySeed(file, 32);
    expect(seed).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(seed).toString('hex')).toBe(readFileSync(file, 'utf8').trim());
    expect(await readIdentitySeed(file, 32)).toEqual(seed);
    expect(readdirSync(folder)).toEqual(['secret']);
  });

  test.each([0o640, 0o604, 0o660, 0o666])('that others can read is refused (mode %o)', async (mode) => {
    write(`${'ab'.repeat(32)}\n`, mode);
    await expect(readIdentitySeed(file, 32)).rejects.toMatchObject({ code: 'config.secret-exposed', hint: `run: chmod 600 ${file}` });
  });

  test.each([
    ['hex', 'ab'.repeat(32)],
    ['base64', Buffer.alloc(32, 0xab).toString('base64')],
    ['base64url', Buffer.alloc(32, 0xab).toString('base64url')],
  ])('is read as %s', async (_what, text) => {
    write(`  ${text}\n`);
    expect(await readIdentitySeed(file, 32)).toEqual(new Uint8Array(32).fill(0xab));
  });

  test.each([
    ['that is too short', 'abcd'],
    ['that is no text of a key', 'what is this?'],
    ['that is empty', ''],
    ['of a whole other file', 'ab'.repeat(4000)],
  ])('%s is refused', async (_what, text) => {
    write(text);
    await expect(readIdentitySeed(file, 32)).rejects.toMatchObject({ code: 'config.secret-invalid' });
  });

  test('where it cannot be made says why', async () => {
    await expect(readIdentitySeed(join(folder, 'no', 'where'), 32)).rejects.toMatchObject({ code: 'config.secret-unreadable' });
  });
});

describe('a network key', () => {
  test('is read, and never made', async () => {
    await expect(readNetworkKey(file)).rejects.toMatchObject({ code: 'config.secret-unreadable' });
    expect(readdirSync(folder)).toEqual([]);
    write('00112233445566778899aabbccddeeff');
    expect(await readNetworkKey(file)).toHaveLength(16);
  });
});
