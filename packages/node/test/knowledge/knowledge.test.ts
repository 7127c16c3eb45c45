import { ResponderHandshake, networkKeyPsk, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ConnectOptions, NodeOptions } from '../../src/index.ts';
import { equalOf } from './compare.ts';
import { documentedEqual, documentedFields, documentedKnowledge } from './documented.ts';
import { knowledgeOf, messagesOf, relayFields } from './knowledge.ts';
import { Stage } from './stage.ts';

// R12: what a node may know is what docs/protocol.md §8.5 and docs/threat-model.md say, no more and no less. It is proven by
// everything that the code of each node is handed: what it opens, and where its links lead.

const RELAYED = ['A', 'B', 'C', 'D'];
const TELESCOPED = ['A', 'B', 'C', 'D', 'E'];
const PER_HOP: Partial<NodeOptions> = { relay: { enabled: true, allowDial: ['private'], relayPorts: 'per-hop' } };
const PRIVATE: Partial<NodeOptions> = { traffic: 'private' };

/** The seed's first table: A wants D over 3 hops, and B and C choose. */
async function relayed(seed: number, options: Partial<NodeOptions> = {}, connect: ConnectOptions = {}): Promise<Stage> {
  const stage = new Stage(seed);
  await stage.start(RELAYED, options);
  await stage.net.connect('A', 'B');
  await stage.net.connect('B', 'C');
  const connection = await stage.talk('A', 'D', { ...connect, hops: 3 });
  await stage.net.run(connection.close());
  await stage.net.settle();
  return stage;
}

/** The seed's second table: A wants E through B, C and D. */
async function telescoped(seed: number, options: Partial<NodeOptions> = {}): Promise<Stage> {
  const stage = new Stage(seed);
  await stage.start(TELESCOPED, options);
  const connection = await stage.talk('A', 'E', { path: ['B', 'C', 'D'].map((name) => stage.net.address(name)) });
  await stage.net.run(connection.close());
  await stage.net.settle();
  return stage;
}

/** The stages of all paths, by their names in the documents. */
const stages = new Map<string, Stage>();
const stageOf = (path: string): Stage => stages.get(path) as Stage;

beforeAll(async () => {
  stages.set('relays choose', await relayed(1));
  stages.set('relays choose, A shows who it is', stageOf('relays choose'));
  stages.set('relays choose, A anonymous', await relayed(2, {}, { anonymous: true }));
  stages.set('relays choose, ports per hop', await relayed(3, PER_HOP));
  stages.set('relays choose, `private`', await relayed(4, PRIVATE));
  stages.set('telescoped', await telescoped(5));
  stages.set('telescoped, `private`', await telescoped(6, PRIVATE));
}, 240_000);

describe('R12 both tables of the seed: what each node knows', () => {
  test.each(documentedKnowledge())('$path: $node knows exactly what it must', ({ addresses, hopsLeft, identities, node, path }) => {
    const known = knowledgeOf(stageOf(path), node);
    expect([known.addresses, known.identities]).toEqual([addresses, identities]);
    expect(known.requests.map((request) => request.hopsLeft).toSorted((a, b) => a - b)).toEqual(hopsLeft);
    for (const { pattern } of known.requests) expect(pattern).toBe('XX');
  });

  test('no relay is handed a byte of what the ends say, and they are', () => {
    for (const [path, stage] of stages) {
      const [, ...others] = stage.net.names;
      const end = others.pop() as string;
      for (const name of others) expect(knowledgeOf(stage, name).content, `${path}: ${name}`).toBe(false);
      expect(knowledgeOf(stage, end).content, path).toBe(true);
    }
  });

  test('of relay links they are handed the fields that are listed, and no other', () => {
    const refused = ['relay-status: reason', 'relay-status: retryAfterMs'];
    const seen = [...stages.values()].flatMap((stage) => stage.net.names.slice(1).flatMap((name) => relayFields(messagesOf(stage, name))));
    expect([...new Set([...seen, ...refused])].toSorted()).toEqual(documentedFields());
  });

  test('whoever holds the network key can read the hour in a request of XX', () => {
    const stage = stageOf('relays choose');
    const [create] = messagesOf(stage, 'C').flatMap(({ message }) => (message.type === 'relay-create' ? [message] : []));
    const read = (hour: number): void => {
      const random = seededRandom(1);
      const provider = portableProvider;
      const { identity } = stage.node('C');
      const staticKey = provider.dhKeyPair(new Uint8Array(32).fill(1));
      const handshake = new ResponderHandshake({ provider, random, psk: networkKeyPsk(provider), identity, staticKey, hour });
      handshake.request((create?.request ?? new Uint8Array(0)).slice());
    };
    const hour = Math.floor(stage.net.world.clock.unixMs() / 3_600_000);
    expect(() => read(hour)).not.toThrow();
    expect(() => read(hour + 2)).toThrow(expect.objectContaining({ code: 'session.clock-skew' }));
  });
});

describe('R12 both tables of the seed: what any two nodes find equal', () => {
  const paths = ['relays choose', 'relays choose, ports per hop', 'relays choose, `private`', 'telescoped', 'telescoped, `private`'];

  test.each(paths)('%s: what is listed, and nothing else', (path) => {
    const stage = stageOf(path);
    const [, ...others] = stage.net.names;
    const found = new Map<string, readonly string[]>();
    for (const [i, one] of others.entries())
      for (const other of others.slice(i + 1)) found.set(`${one}, ${other}`, equalOf(stage, one, other));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(documentedEqual(path)));
  });
});

describe('in `private`, over 4 hops', () => {
  test('every unit that any relay forwards has one size, but for the opening of each link', () => {
    const stage = stageOf('telescoped, `private`');
    for (const name of ['B', 'C', 'D']) {
      const sizes = messagesOf(stage, name).flatMap(({ message }) => (message.type === 'relay-data' ? [message.bytes.length] : []));
      expect(
        [...new Set(sizes)].toSorted((a, b) => a - b),
        name,
      ).toEqual([384, 4096]);
      expect(sizes.length, name).toBeGreaterThan(50);
    }
  });
});
