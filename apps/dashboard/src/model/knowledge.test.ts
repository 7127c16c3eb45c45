import { describe, expect, test } from 'vitest';
import { connection, hop, relayLink } from '../../test/samples.ts';
import { anatomyOfConnection, anatomyOfRelayLink } from './knowledge.ts';

const naming = (peerId: string): string => peerId.toUpperCase();
const station = (anatomy: ReturnType<typeof anatomyOfConnection>, name: string) => {
  const found = anatomy.stations.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nobody is called ${name}`);
  return found;
};

// The table of docs/protocol.md §8.5: whose address and identity, and hops left.
describe('a circuit of A through B, C and D to E', () => {
  const anatomy = anatomyOfConnection(
    connection({ kind: 'telescoped', anonymous: true, hops: ['b', 'c', 'd', 'e'].map((peerId) => hop({ peerId })) }),
    naming,
    [],
  );

  test('has a layer for each hop, the first outermost', () => {
    expect(anatomy.layers.map(({ between }) => between.join('–'))).toEqual(['you–B', 'you–C', 'you–D', 'you–E']);
  });

  test('each hop opens one layer; those before it have opened the outer ones', () => {
    expect(anatomy.stations.slice(1).map(({ name, opened, opens }) => [name, opened, opens])).toEqual([
      ['B', 0, 1],
      ['C', 1, 1],
      ['D', 2, 1],
      ['E', 3, 1],
    ]);
    expect(station(anatomy, 'you').opens).toBe(4);
  });

  test.each([
    ['B', ['you', 'C'], ['D', 'E']],
    ['C', ['B', 'D'], ['E']],
    ['D', ['C', 'E'], ['B']],
    ['E', ['D'], ['B', 'C']],
  ])('%s knows of %s and of nobody else', (name, known, unknown) => {
    const said = station(anatomy, name).knows.join('; ');
    for (const who of known) expect(said).toMatch(new RegExp(`hop: ${who}\\b`));
    for (const who of unknown) expect(said).not.toMatch(new RegExp(`\\b${who}\\b`));
  });

  test('only the first hop knows your address, and nobody behind it who you are', () => {
    for (const name of ['C', 'D', 'E']) {
      expect(station(anatomy, name).hidden).toEqual(expect.arrayContaining(['your address', 'your identity']));
      expect(station(anatomy, name).knows.join()).not.toContain('your');
    }
    expect(station(anatomy, 'B').knows[0]).toContain('your address');
  });

  test('no relay knows what is said; the far end does', () => {
    for (const name of ['B', 'C', 'D']) expect(station(anatomy, name).hidden).toContain('what is said');
    expect(station(anatomy, 'E').knows).toContain('everything that you say to it');
  });

  test('the relay before the far end does know it', () => {
    expect(station(anatomy, 'C').hidden).toContain('the far end');
    expect(station(anatomy, 'D').hidden).not.toContain('the far end');
  });
});

test('a first hop that was connected to anonymously does not know who you are', () => {
  const hops = ['b', 'c'].map((peerId) => hop({ peerId }));
  const first = connection({ id: '1', peerId: 'b', anonymous: true });
  const anatomy = anatomyOfConnection(connection({ kind: 'telescoped', carriers: ['2', '1'], hops }), naming, [first]);
  expect(station(anatomy, 'B').knows[0]).toBe('previous hop: you, your address');
});

describe('a circuit on which A shows who it is', () => {
  test('its identity is known at the far end, and its address is not', () => {
    const hops = ['b', 'c', 'd'].map((peerId) => hop({ peerId }));
    const end = station(anatomyOfConnection(connection({ kind: 'telescoped', anonymous: false, hops }), naming, []), 'D');
    expect(end.knows).toContain('your identity');
    expect(end.hidden).toContain('your address');
    expect(end.hidden).not.toContain('your identity');
  });
});

describe('a connection over relays that choose the path', () => {
  const anatomy = anatomyOfConnection(connection({ kind: 'relayed', peerId: 'd', anonymous: true, carriers: ['1'] }), naming, [
    connection({ id: '1', peerId: 'b' }),
  ]);

  test('every relay knows the destination, and cannot read', () => {
    for (const name of ['B', 'relays between']) {
      expect(station(anatomy, name).knows).toContain('destination: D');
      expect(station(anatomy, name).hidden.join()).toContain('inner layer stays closed');
    }
  });

  test('the destination sees the last relay only', () => {
    expect(station(anatomy, 'D').knows[0]).toContain('the last relay');
    expect(station(anatomy, 'D').hidden).toEqual(expect.arrayContaining(['your address', 'your identity']));
  });
});

describe('a connection that somebody made to this node', () => {
  test('over relays and anonymously: who it is remains unknown', () => {
    const anatomy = anatomyOfConnection(connection({ kind: 'relayed', role: 'responder', peerId: undefined, carriers: ['1'] }), naming, [
      connection({ id: '1', peerId: 'c' }),
    ]);
    expect(station(anatomy, 'you').hidden).toEqual(expect.arrayContaining(['the address of someone behind C', 'who it is']));
  });

  test('directly: everything is known that was shown', () => {
    const anatomy = anatomyOfConnection(connection({ kind: 'direct', peerId: 'b', anonymous: false }), naming, []);
    expect(station(anatomy, 'B')).toMatchObject({ knows: ['your address', 'your identity', 'everything that is said'], hidden: [] });
  });
});

describe('a relay link that this node forwards', () => {
  test('previous hop, next hop, destination, hops left, port, sizes and times: nothing else (R12)', () => {
    const { layers, stations } = anatomyOfRelayLink(relayLink({ port: '5', nextPort: '6' }), naming);
    expect(layers).toHaveLength(2);
    expect(stations).toHaveLength(1);
    expect(stations[0]?.knows).toEqual([
      'previous hop: B, 127.2.0.1:1',
      'next hop: C, 127.3.0.1:1',
      'destination: mtk1d@127.4.0.1:1',
      'hops left: 2',
      'relay port 5, 6 on the other side',
      'version, suite and pattern of the handshake that it passes on',
      'sizes and times of the records that it passes on',
    ]);
  });
});
