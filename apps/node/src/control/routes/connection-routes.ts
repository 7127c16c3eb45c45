import { type ConnectOptions, type Connection, connectionStatus } from '@matryoshka/node';
import * as z from 'zod';
import type { Daemon } from '../../daemon/daemon.ts';
import { ControlError } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { connectShape, connectionShape, relayLinkShape } from '../shapes.ts';

const idShape = z.object({ id: z.string() });

/** Connections of this node, and relay links it forwards. */
export const CONNECTION_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/connections',
    name: 'listConnections',
    summary: 'Every connection of the node',
    answer: { type: 'json', schema: z.array(connectionShape) },
    handle: ({ daemon }) => daemon.node.connections.map(connectionStatus),
  }),
  route({
    method: 'POST',
    path: '/v1/connections',
    name: 'connect',
    summary: 'Connects to a peer: directly, relayed (hops) or telescoped (path)',
    body: connectShape,
    answer: { type: 'json', schema: connectionShape, status: 201 },
    handle: async ({ daemon, body: { to, ...options }, signal }) =>
      connectionStatus(await daemon.node.connect(to, { ...definedOf(options), signal })),
  }),
  route({
    method: 'GET',
    path: '/v1/connections/{id}',
    name: 'connection',
    summary: 'One connection',
    params: idShape,
    answer: { type: 'json', schema: connectionShape },
    handle: ({ daemon, params: { id } }) => connectionStatus(findConnection(daemon, id)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/connections/{id}',
    name: 'closeConnection',
    summary: 'Closes a connection, and with it the hops of its circuit',
    params: idShape,
    answer: { type: 'nothing' },
    handle: ({ daemon, params: { id } }) => findConnection(daemon, id).close(),
  }),
  route({
    method: 'GET',
    path: '/v1/relay-links',
    name: 'listRelayLinks',
    summary: 'Every relay link that the node forwards for others',
    answer: { type: 'json', schema: z.array(relayLinkShape) },
    handle: ({ daemon }) => daemon.node.status().relayLinks,
  }),
];

/** Options without those that are not there. */
export function definedOf(options: object): ConnectOptions {
  return JSON.parse(JSON.stringify(options)) as ConnectOptions;
}

/** @throws ControlError `control.unknown-connection` */
export function findConnection({ node }: Daemon, id: string): Connection {
  const connection = node.connections.find((candidate) => candidate.id === id);
  if (connection === undefined)
    throw new ControlError(404, 'control.unknown-connection', `there is no connection ${id}`, 'matryoshka peers lists those there are');
  return connection;
}
