import { expect, test } from 'vitest';
import { whyNpmFailed } from './modules.ts';

test('why npm failed is told in one line', () => {
  const message = 'Command failed: npm install\nnpm error code ECONNREFUSED';
  const stderr = `npm error code ECONNREFUSED
npm error syscall connect
npm error errno ECONNREFUSED
npm error FetchError: request to http://192.0.2.1/libp2p failed, reason: connect ECONNREFUSED
npm error     at ClientRequest.emit
`;
  expect(whyNpmFailed({ message, stderr })).toBe(
    'npm: FetchError: request to http://192.0.2.1/libp2p failed, reason: connect ECONNREFUSED',
  );
  expect(whyNpmFailed({ message, stderr: '' })).toBe('npm: Command failed: npm install');
  expect(whyNpmFailed({ message, stderr, killed: true })).toMatch(/^npm was not done after \d+ s$/);
});
