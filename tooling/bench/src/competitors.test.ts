import { basename, isAbsolute } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findProgram, whyMissing } from './competitors.ts';

const nobody = (line: string): never => expect.fail(`nothing is to be installed: ${line}`);

afterEach(() => vi.unstubAllEnvs());

test('a program is found by its whole path, or not at all', async () => {
  const shell = (await findProgram('sh')) as string;
  expect(isAbsolute(shell)).toBe(true);
  expect(basename(shell)).toBe('sh');
  await expect(findProgram('no-such-program')).resolves.toBeUndefined();
});

describe('a competitor', () => {
  test('that needs nothing is never missing', async () => {
    vi.stubEnv('PATH', '');
    await expect(whyMissing('plain', nobody)).resolves.toBeUndefined();
  });

  test.each([
    ['tls', /^not installed: openssl/],
    ['ssh', /^not installed: ssh, sshd, ssh-keygen/],
    ['tor', /^not installed: tor, tor-gencert/],
  ] as const)('%s is missing where its programs are not in the PATH', async (competitor, reason) => {
    vi.stubEnv('PATH', '/no/such/folder');
    await expect(whyMissing(competitor, nobody)).resolves.toMatch(reason);
  });

  test('that comes from a registry is missing where nothing can install it', async () => {
    vi.stubEnv('XDG_CACHE_HOME', '/no/such/folder');
    vi.stubEnv('PATH', '');
    await expect(whyMissing('libp2p', nobody)).resolves.toBe('not installed: npm, which would install it');
  });
});
