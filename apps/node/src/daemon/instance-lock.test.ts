import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InstanceLock } from './instance-lock.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'matryoshka-lock-'));
});
afterEach(() => rmSync(data, { recursive: true }));

/** Leaves behind what a process that was killed leaves behind. */
async function crash(): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(join(data, 'lock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['--eval', script], { stdio: 'ignore' }), 'close');
}

test('one holder at a time, which others are told of; afterwards the next one', async () => {
  const lock = await InstanceLock.acquire(data);
  await expect(InstanceLock.acquire(data)).rejects.toMatchObject({
    code: 'daemon.busy',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await lock[Symbol.asyncDispose]();
  expect(readdirSync(data)).toEqual([]);
  await (await InstanceLock.acquire(data))[Symbol.asyncDispose]();
});

test('what a crash has left behind is nobody’s', async () => {
  await crash();
  expect(existsSync(join(data, 'lock'))).toBe(true);
  await using _lock = await InstanceLock.acquire(data);
  expect(readdirSync(data)).toEqual(['lock']);
});

test('of several that find it so at once, one gets it', async () => {
  await crash();
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => InstanceLock.acquire(data)));
  const locks = results.filter((result) => result.status === 'fulfilled');
  expect(locks.length).toBe(1);
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'daemon.busy' });
  await locks[0]?.value[Symbol.asyncDispose]();
});

test('a folder whose path is too long for a socket', async () => {
  await expect(InstanceLock.acquire(join(data, 'x'.repeat(120)))).rejects.toMatchObject({
    code: 'daemon.socket',
    message: expect.stringContaining('too long'),
  });
});
