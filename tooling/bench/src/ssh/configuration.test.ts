import { expect, test } from 'vitest';
import { clientConfiguration, hopName, serverConfiguration } from './configuration.ts';

const files = { userKey: '/somewhere/user', hostKey: '/somewhere/host' };
const hops = [
  { host: '127.22.0.1', port: 2201 },
  { host: '127.33.0.1', port: 2202 },
];

test('a server listens where it should and lets in one key', () => {
  const text = serverConfiguration({ host: '127.22.0.1', port: 2201 }, files);
  expect(text).toMatch(/^ListenAddress 127\.22\.0\.1\nPort 2201$/m);
  expect(text).toMatch(/^AuthorizedKeysFile \/somewhere\/user\.pub$/m);
  expect(text).toMatch(/^PasswordAuthentication no$/m);
});

test('a client finds each hop by its name, and touches nothing of its user', () => {
  const text = clientConfiguration(hops, 'somebody', files);
  expect(text).toContain(`Host ${hopName(1)}\n  HostName 127.33.0.1\n  Port 2202\n`);
  expect(text).toMatch(/^ {2}User somebody$/m);
  expect(text).toMatch(/^ {2}UserKnownHostsFile \/dev\/null$/m);
});
