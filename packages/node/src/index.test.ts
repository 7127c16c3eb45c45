import { expect, test } from 'vitest';

test('exports of the main entry', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'AsyncStream',
    'Connection',
    'MatryoshkaError',
    'MatryoshkaNode',
    'Stream',
    'asyncStream',
    'connectionStatus',
    'createIdentity',
    'createNode',
    'formatEndpoint',
    'formatStaticKey',
    'identityFromSeed',
    'knownNodeOptions',
    'memoryDirectory',
    'nodeOptionProblems',
    'parseDestination',
    'parseEndpoint',
    'parseNodeOptions',
    'parsePeerId',
    'parseStaticKey',
    'randomNextHop',
    'routing',
    'webStreams',
  ]);
});
