import { type Connection, connectionStatus } from '@matryoshka/node';
import * as z from 'zod';
import type { Daemon } from '../../daemon/daemon.ts';
import { ControlError } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { circuitShape, connectionShape, readyCircuitShape } from '../shapes.ts';
import { definedOf, findConnection } from './connection-routes.ts';

const idShape = z.object({ id: z.string() });

/** Telescoped connections of this node, each the far end of a circuit. */
export const CIRCUIT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/circuits',
    name: 'listCircuits',
    summary: 'Every circuit that the node has built, with its hops',
    answer: { type: 'json', schema: z.array(connectionShape) },
    handle: ({ daemon }) => circuitsOf(daemon).map(connectionStatus),
  }),
  route({
    method: 'POST',
    path: '/v1/circuits',
    name: 'buildCircuit',
    summary: 'Builds a circuit to a peer, hop by hop: through relays chosen from the directory, or through those of path',
    body: circuitShape,
    answer: { type: 'json', schema: connectionShape, status: 201 },
    handle: async ({ daemon, body: { to, hops, isolation, path, anonymous }, signal }) => {
      if (path !== undefined && (hops !== undefined || isolation !== undefined))
        throw new ControlError(400, 'control.invalid', 'path excludes hops and isolation: its peers are the hops');
      const how = path === undefined ? { circuit: { hops, isolation } } : { path };
      return connectionStatus(await daemon.node.connect(to, { ...definedOf({ ...how, anonymous }), signal }));
    },
  }),
  route({
    method: 'GET',
    path: '/v1/ready-circuits',
    name: 'listReadyCircuits',
    summary: 'Circuits whose relays were chosen from the directory, in use or kept ready',
    answer: { type: 'json', schema: z.array(readyCircuitShape) },
    handle: ({ daemon }) => daemon.node.status().circuits,
  }),
  route({
    method: 'DELETE',
    path: '/v1/circuits/{id}',
    name: 'closeCircuit',
    summary: 'Closes a circuit with all its hops',
    params: idShape,
    answer: { type: 'nothing' },
    handle: ({ daemon, params: { id } }) => {
      const connection = findConnection(daemon, id);
      if (connection.kind !== 'telescoped')
        throw new ControlError(
          404,
          'control.unknown-circuit',
          `connection ${id} is no circuit`,
          'matryoshka circuit list lists those there are',
        );
      return connection.close();
    },
  }),
];

function circuitsOf({ node }: Daemon): readonly Connection[] {
  return node.connections.filter(({ kind, role }) => kind === 'telescoped' && role === 'initiator');
}
