import type { Directory } from '@matryoshka/circuit';
import { createIdentity, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { expect, test } from 'vitest';
import { peerTags } from './peer-tags.ts';

const [self, alice, bob] = [1, 2, 3].map((seed) => createIdentity(portableProvider, seededRandom(seed)).peerId);

test('what is said of a peer: tags of the user, and who runs it as its descriptor says', () => {
  if (self === undefined || alice === undefined || bob === undefined) throw new RangeError('three peers');
  const known: { directory?: Directory } = {};
  const tags = peerTags({ configured: { [alice]: ['near', 'operator:ann'] }, self, operator: 'me', directory: () => known.directory });
  expect([self, alice, bob].map(tags)).toEqual([['operator:me'], ['near', 'operator:ann'], []]);
  known.directory = { get: (peerId: string) => ({ body: { operator: peerId === bob ? 'ben' : '' } }) } as unknown as Directory;
  expect([self, alice, bob].map(tags)).toEqual([['operator:me'], ['near', 'operator:ann'], ['operator:ben']]);
});
