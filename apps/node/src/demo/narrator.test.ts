import type { RelayLinkStatus } from '@matryoshka/node';
import { expect, test } from 'vitest';
import type { CliEvent } from '../events.ts';
import { Names } from './cast.ts';
import { Narrator } from './narrator.ts';

const names = new Names();
for (const name of ['A', 'B', 'C', 'D']) names.add(name, `id-${name}`);

const link = (hopsLeft: number, previous: string, next?: string): RelayLinkStatus => ({
  port: '7',
  state: 'open',
  nextPort: next && '7',
  previousHop: { peerId: `id-${previous}`, endpoint: '127.9.0.1:1' },
  nextHop: next === undefined ? undefined : { peerId: `id-${next}`, endpoint: '127.9.0.2:1' },
  hopsLeft,
  destination: 'id-D@127.44.0.1:1',
  bytesForward: 0,
  bytesBackward: 0,
});
const dialled = (to: string): CliEvent => ({
  event: 'connection',
  connection: {
    id: 's1',
    kind: 'direct',
    role: 'initiator',
    state: 'open',
    peerId: `id-${to}`,
    authenticated: true,
    local: '127.33.0.1:2',
    remote: '127.44.0.1:1',
    nesting: 0,
    carriers: [],
    anonymous: false,
    relaying: undefined,
    bytesSent: 0,
    bytesReceived: 0,
    streams: 0,
    roundTripMs: undefined,
    traffic: { preset: 'plain', padding: { kind: 'none' }, cover: { kind: 'none' }, recordBytes: 0 },
  },
});

function tell(...events: readonly (readonly [string, CliEvent])[]): string[] {
  const said: string[] = [];
  const narrator = new Narrator(names, (name, text) => said.push(`${name}: ${text}`));
  for (const [name, event] of events) narrator.tell(name, { ...event, at: 0 });
  return said;
}

const connecting: CliEvent = { event: 'connecting', destination: 'id-D@127.44.0.1:1', hops: 3, peers: ['id-B'] };

test('the steps are those that the nodes tell, and nobody else', () => {
  const said = tell(
    ['A', connecting],
    ['B', { event: 'relay-requested', link: link(2, 'A') }],
    ['C', { event: 'relay-requested', link: link(1, 'B') }],
    ['C', dialled('D')],
    ['D', { event: 'relay-accepted', previousHop: 'id-C', endpoint: '127.33.0.1:2', relayPort: '7' }],
    ['C', { event: 'relay-opened', link: link(1, 'B', 'D') }],
    ['B', { event: 'relay-opened', link: link(2, 'A', 'C') }],
  );
  expect(said.map((line) => line[0]).join('')).toBe('ABCCDCB');
  expect(said[1]).toContain('Receives the request from A to reach D over an additional 2 hops');
  expect(said[3]).toBe('C: Establishes a connection directly to D.');
  expect(said[5]).toMatch(/^C: Tells B/);
  expect(said[6]).toMatch(/^B: Had picked C\. Tells A/);
});

test('a connection that was there already is said to be used', () => {
  const said = tell(
    ['A', connecting],
    ['C', { event: 'relay-requested', link: link(1, 'B') }],
    ['C', { event: 'relay-opened', link: link(1, 'B', 'D') }],
  );
  expect(said.at(-1)).toMatch(/^C: Was connected to D already/);
});
