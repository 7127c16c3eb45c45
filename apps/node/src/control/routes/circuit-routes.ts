import type { Connection } from '@matryoshka/node';
import * as z from 'zod';
import type { Daemon } from '../../daemon/daemon.ts';
import { describeConnection } from '../../daemon/describe-connection.ts';
import { ControlError } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { circuitShape, connectionShape } from '../shapes.ts';
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
    handle: ({ daemon }) => circuitsOf(daemon).map(describeConnection),
  }),
  route({
    method: 'POST',
    path: '/v1/circuits',
    name: 'buildCircuit',
    summary: 'Builds a circuit, hop by hop, to a peer',
    body: circuitShape,
    answer: { type: 'json', schema: connectionShape, status: 201 },
    handle: async ({ daemon, body: { to, ...options }, signal }) =>
      describeConnection(await daemon.node.connect(to, { ...definedOf(options), signal })),
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
