import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { NETWORK_KEY_FILE } from '../../config/app-keys.ts';
import { parsed } from '../../config/config-key.ts';
import type { Daemon } from '../../daemon/daemon.ts';
import { encodeInvite, parseInvite } from '../../network/invite.ts';
import { joinNetwork } from '../../network/join-network.ts';
import { reachableAt } from '../../network/reachable-at.ts';
import { parseEndpoint } from '@matryoshka/node';
import { readNetworkKey } from '../../secret-file.ts';
import { ControlError } from '../problem.ts';
import { type Route, route } from '../route.ts';

/** How long whoever joins waits for the first connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
const LOOK_INTERVAL_MS = 100;

/** Which network the node is in, and who else may be. */
export const NETWORK_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/invites',
    name: 'invite',
    summary: 'A line with which others join the network of this node; it holds the network key',
    body: z.strictObject({
      at: z.array(parsed(parseEndpoint)).min(1).max(8).optional().describe('where others reach this node; by default where it listens'),
    }),
    answer: { type: 'json', schema: z.object({ invite: z.string(), endpoints: z.array(z.string()), peerId: z.string() }), status: 201 },
    handle: async ({ daemon, body: { at } }) => {
      const { node } = daemon;
      const endpoints = at ?? reachableAt(node.status().listening);
      if (endpoints.length === 0)
        throw new ControlError(
          409,
          'invite.nowhere',
          'this node listens nowhere that others could reach',
          'name where with --at, or listen in its configuration',
        );
      const networkKey = await readNetworkKey(daemon.config.get(NETWORK_KEY_FILE), { mayBeMissing: true });
      const invite = encodeInvite({
        peerId: node.peerId,
        endpoints,
        ...(networkKey !== undefined && { networkKey }),
        ...(node.access().access.hidden && { staticKey: node.staticKey }),
      });
      return { invite, endpoints, peerId: node.peerId };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/join',
    name: 'join',
    summary: 'Joins the network of an invite: takes its key, restarts the node, and stays connected to the one it comes from',
    body: z.strictObject({
      invite: parsed(parseInvite),
      replace: z.boolean().default(false).describe('leaves the network that the node has peers in'),
    }),
    answer: { type: 'json', schema: z.object({ peerId: z.string(), networkChanged: z.boolean(), connected: z.boolean() }) },
    handle: async ({ daemon, body: { invite, replace }, signal }) => {
      const joined = await joinNetwork(daemon.config, parseInvite(invite), replace);
      await daemon.restart();
      return { ...joined, connected: await connectedTo(daemon, joined.peerId, signal) };
    },
  }),
];

/** Waits a while for a connection to the peer, which the node makes by itself. */
async function connectedTo(daemon: Daemon, peerId: string, signal: AbortSignal): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < CONNECT_TIMEOUT_MS && !signal.aborted; waitedMs += LOOK_INTERVAL_MS) {
    if (daemon.node.connections.some((connection) => connection.peerId === peerId)) return true;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(LOOK_INTERVAL_MS);
  }
  return false;
}
