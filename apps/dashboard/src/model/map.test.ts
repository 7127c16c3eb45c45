import { describe, expect, test } from 'vitest';
import { countersOf } from './counters.ts';
import { networkMap } from './map.ts';
import { connection, hop, nodeStatus, relayLink } from '../../test/samples.ts';

const direct = (id: string, peerId: string) => connection({ id, peerId, remote: `127.0.0.${id}:1` });

describe('the map', () => {
  test('has this node in its midst, and who it is connected to around it', () => {
    const { nodes, edges } = networkMap(nodeStatus({ connections: [direct('1', 'b'), direct('2', 'c')] }));
    expect(nodes.map(({ id, kind, distance }) => [id, kind, distance])).toEqual([
      ['a', 'you', 0],
      ['b', 'peer', 1],
      ['c', 'peer', 1],
    ]);
    expect(edges.map(({ source, target, kind }) => [source, target, kind])).toEqual([
      ['a', 'b', 'direct'],
      ['a', 'c', 'direct'],
    ]);
  });

  test('draws a circuit hop by hop, with the bytes of each hop on the way to it', () => {
    const circuit = connection({ id: '9', kind: 'telescoped', peerId: 'd', hops: ['b', 'c', 'd'].map((peerId) => hop({ peerId })) });
    const { nodes, edges } = networkMap(nodeStatus({ connections: [circuit, direct('1', 'b')] }));
    expect(nodes.map(({ id, distance }) => [id, distance])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ]);
    expect(edges.map(({ source, target, kind, flows }) => [source + target, kind, flows.map(({ counters }) => counters)])).toEqual([
      ['ab', 'direct', ['connection:1']],
      ['bc', 'hop', ['hop:9:1']],
      ['cd', 'hop', ['hop:9:2']],
    ]);
    expect(edges.every(({ connections }) => connections.includes('9'))).toBe(true);
  });

  test('two circuits over the same two relays share a line, whichever way they go', () => {
    const circuits = [
      ['b', 'c'],
      ['c', 'b'],
    ].map((hops, index) => connection({ id: `${index}`, kind: 'telescoped', hops: hops.map((peerId) => hop({ peerId })) }));
    const { edges } = networkMap(nodeStatus({ connections: circuits }));
    const shared = edges.filter(({ kind }) => kind === 'hop');
    expect(shared).toHaveLength(1);
    expect(shared[0]?.flows.map(({ along }) => along)).toEqual([true, false]);
  });

  test('behind relays that chose the path there is a veil', () => {
    const relayed = connection({ id: '2', kind: 'relayed', peerId: 'd', carriers: ['1'] });
    const { edges } = networkMap(nodeStatus({ connections: [relayed, direct('1', 'b')] }));
    expect(edges.map(({ source, target, kind }) => [source, target, kind])).toEqual([
      ['a', 'b', 'direct'],
      ['b', 'd', 'veiled'],
    ]);
  });

  test('strangers behind one relay are one on the map, however many', () => {
    const strangers = ['2', '3', '4'].map((id) =>
      connection({ id, kind: 'relayed', role: 'responder', peerId: undefined, carriers: ['1'], remote: `127.0.0.1:1:${id}` }),
    );
    const { nodes } = networkMap(nodeStatus({ connections: [direct('1', 'b'), ...strangers] }));
    expect(nodes.at(-1)).toMatchObject({ id: 'behind:b', kind: 'stranger', count: 3, behind: 'b', distance: 2 });
    expect(nodes).toHaveLength(3);
  });

  test('what is forwarded comes in on the one side and goes out on the other', () => {
    const link = relayLink({ previousHop: { peerId: 'b', endpoint: 'x' }, nextHop: { peerId: 'c', endpoint: 'y' } });
    const { edges } = networkMap(nodeStatus({ connections: [direct('1', 'b'), direct('2', 'c')], relayLinks: [link] }));
    const forwarded = edges.map(({ target, flows }) => [target, flows.find(({ purpose }) => purpose === 'forwarded')?.along]);
    expect(forwarded).toEqual([
      ['b', false],
      ['c', true],
    ]);
  });

  test('a forwarded link of somebody without identity is found by its endpoint', () => {
    const stranger = connection({ id: '7', peerId: undefined, role: 'responder', remote: '10.0.0.7:5' });
    const link = relayLink({ previousHop: { peerId: undefined, endpoint: '10.0.0.7:5' } });
    const { edges } = networkMap(nodeStatus({ connections: [stranger], relayLinks: [link] }));
    expect(edges[0]).toMatchObject({ target: 'connection:7' });
    expect(edges[0]?.flows.map(({ purpose }) => purpose)).toEqual(['own', 'forwarded']);
  });

  test('circuits that wait are drawn, and what works wins over what is broken', () => {
    const circuits = [{ users: 0, hops: ['b', 'c'].map((peerId) => hop({ peerId })) }];
    const broken = connection({ id: '9', kind: 'telescoped', hops: ['b', 'c'].map((peerId) => hop({ peerId, state: 'stalled' })) });
    const { edges } = networkMap(nodeStatus({ connections: [broken], circuits }));
    expect(edges.find(({ kind }) => kind === 'hop')?.state).toBe('waiting');
  });

  test('relays of a demo keep their place when they are down', () => {
    const relays = [{ name: 'B', peerId: 'b', endpoint: '127.2.0.1:1', state: 'down' as const }];
    const { nodes } = networkMap(nodeStatus(), { relays, names: {} });
    expect(nodes[1]).toMatchObject({ id: 'b', state: 'down' });
  });
});

describe('the counters', () => {
  test('are told apart by what they count; the sum is that of direct connections, for all else runs inside of them', () => {
    const circuit = connection({ id: '9', kind: 'telescoped', bytesSent: 50, hops: [hop({ peerId: 'b', bytesSent: 60 })] });
    const counters = countersOf(
      nodeStatus({
        connections: [connection({ id: '1', bytesSent: 100, bytesReceived: 7 }), circuit],
        relayLinks: [relayLink({ bytesForward: 3 })],
      }),
    );
    expect([...counters].map(([key, { sent }]) => [key, sent])).toEqual([
      ['connection:1', 100],
      ['connection:9', 50],
      ['hop:9:0', 60],
      ['link:b:5', 3],
      ['all', 100],
    ]);
  });
});
