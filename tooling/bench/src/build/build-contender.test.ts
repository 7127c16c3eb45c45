import { expect, test } from 'vitest';
import { checkHandshakes } from './build-contender.ts';

const builds = { medianMs: 1, p99Ms: 2, count: 10, seconds: 1 };

test('circuits that were built have at least a handshake for each hop behind the first', () => {
  checkHandshakes({ ...builds, handshakes: 20 }, 3);
  // Relays meet each other for the first time, or a build was tried twice.
  checkHandshakes({ ...builds, handshakes: 27 }, 3);
});

test('circuits that were used again are no builds', () => {
  expect(() => checkHandshakes({ ...builds, handshakes: 19 }, 3)).toThrow('10 circuits of 3 hops take 20 handshakes, there were 19');
  expect(() => checkHandshakes({ ...builds, handshakes: 20 }, 4)).toThrow('10 circuits of 4 hops take 30 handshakes, there were 20');
});
