import { expect, test } from 'vitest';
import { connection, hop, nodeStatus } from '../../test/samples.ts';
import { circuitHops } from './circuit-hops.ts';

const relayed = (id: string, peerId: string, carriers: readonly string[], anonymous = true) =>
  connection({ id, peerId, kind: 'relayed', carriers, anonymous, nesting: carriers.length });
const path = (...peerIds: readonly string[]) => peerIds.map((peerId) => hop({ peerId }));

test('hops of circuits, in use or ready, are told from connections that somebody asked for', () => {
  const status = nodeStatus({
    connections: [
      connection({ id: '1', peerId: 'b' }),
      relayed('2', 'c', ['1']),
      relayed('3', 'd', ['2', '1']),
      connection({ id: '4', kind: 'telescoped', carriers: ['3', '2', '1'], peerId: 'e', hops: path('b', 'c', 'd', 'e') }),
      // Of a circuit that is ready.
      relayed('5', 'f', ['1']),
      relayed('6', 'g', ['5', '1']),
      // Somebody asked for these.
      relayed('7', 'x', ['1']),
      relayed('8', 'c', ['1'], false),
    ],
    circuits: [{ users: 0, hops: path('b', 'f', 'g') }],
  });
  expect([...circuitHops(status)]).toEqual(['2', '3', '5', '6']);
});
