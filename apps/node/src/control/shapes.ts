import type { HopRange } from '@matryoshka/node';
import * as z from 'zod';

// What the control API tells, for its document. Others may be added to each; nobody may count on there being no more.

const text = z.string();
const count = z.int().min(0);

export const neighbourShape: z.ZodType = z.looseObject({
  peerId: text.optional().describe('missing where it showed no identity'),
  endpoint: text,
});

const hopShape = z.looseObject({
  peerId: text,
  endpoint: text.describe('where the hop before it reaches it'),
  state: z.enum(['open', 'stalled', 'suspended', 'closed']),
  roundTripMs: z.number().optional().describe('through all hops before it'),
  bytesSent: count,
  bytesReceived: count,
  keyAgeMs: z.number(),
});

export const readyCircuitShape: z.ZodType = z.looseObject({
  hops: z.array(hopShape).describe('its relays'),
  users: count.describe('connections that go through it; 0: it waits for one'),
});

export const connectionShape: z.ZodType = z
  .looseObject({
    id: text.describe('names the connection within this node'),
    kind: z.enum(['direct', 'relayed', 'telescoped']),
    role: z.enum(['initiator', 'responder']),
    state: z.enum(['open', 'suspended', 'closed']),
    peerId: text.optional().describe('missing where the other side showed no identity'),
    authenticated: z.boolean(),
    local: text,
    remote: text,
    nesting: count.describe('relay links below this connection'),
    carriers: z.array(text).describe('ids of the connections that it runs over, the nearest first'),
    anonymous: z.boolean().describe('whether this side has shown no identity'),
    hops: z.array(hopShape).optional().describe('of a telescoped connection, the far end last'),
    bytesSent: count.describe('those of its handshakes not counted'),
    bytesReceived: count,
    streams: count.describe('open ones, of both sides'),
    roundTripMs: z.number().optional().describe('of the last liveness probe, once there was one'),
    traffic: z.looseObject({}).describe('how it looks to those who see its bytes'),
    relaying: z.boolean().optional().describe('whether the other side announces that it serves relay links'),
  })
  .describe('a connection of this node');

export const relayLinkShape: z.ZodType = z
  .looseObject({
    port: text.describe('64-bit number, decimal, on the side of the previous hop'),
    nextPort: text.optional().describe('on the side of the next hop'),
    state: z.enum(['choosing', 'requested', 'open', 'draining', 'closed']),
    previousHop: neighbourShape,
    nextHop: neighbourShape.optional(),
    hopsLeft: count.describe('hops after this node'),
    destination: text,
    bytesForward: count,
    bytesBackward: count,
  })
  .describe('a relay link that this node forwards for others');

export const nodeShape: z.ZodType = z.looseObject({
  peerId: text,
  listening: z.array(text),
  relayEnabled: z.boolean(),
  connections: z.array(connectionShape),
  relayLinks: z.array(relayLinkShape),
  circuits: z.array(readyCircuitShape),
  registrations: z.array(z.looseObject({ relay: text, address: text, state: text, error: text.optional() })),
  registeredPeers: z.array(text),
  relayLinkEnds: count,
  relayMemory: z.looseObject({ takenBytes: count, totalBytes: count }),
});

export const statusShape: z.ZodType = z.looseObject({
  version: text,
  pid: count,
  startedAtMs: z.number().describe('milliseconds since 1970'),
  atMs: z.number().describe('when this was asked'),
  dataFolder: text,
  configFile: text,
  needRestart: z.array(text).describe('keys of the configuration that have changed and count from the next start on'),
  node: nodeShape,
  access: z.looseObject({}).describe('who may connect, what neighbours may ask, and what was refused for which reason'),
  features: z.looseObject({}).describe('what runs on top of the node, each under its name'),
});

export const settingShape: z.ZodType = z.looseObject({
  path: text.describe('e.g. relay.enabled'),
  value: z.unknown(),
  origin: text.describe('where the value comes from'),
  live: z.boolean().describe('whether a change takes effect while the node runs'),
  about: text,
});

export const eventShape: z.ZodType = z.looseObject({
  event: text,
  at: z.number().describe('milliseconds since 1970'),
});

const hopCount = z.int().min(1).max(15);

/** Options of `connect`, as the library takes them. */
export const connectShape: z.ZodType<ConnectRequest, ConnectRequest> = z.strictObject({
  to: z.string().min(1).describe('[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]'),
  hops: z
    .union([hopCount, z.strictObject({ min: hopCount, max: hopCount })])
    .optional()
    .describe('relayed over this many hops, or as many as are drawn from a range; relays choose them'),
  path: z.array(z.string()).min(1).optional().describe('telescoped through these peers, peerId@host:port each'),
  gateway: z.string().optional().describe('with hops: the first relay'),
  anonymous: z.boolean().optional().describe('shows no identity; default true with path'),
  staticKey: z.string().optional().describe('of a hidden peer, mts1…; shows no identity'),
  unverifiedDestination: z.boolean().optional().describe('allows a relayed connection to an endpoint without a peer id'),
});

export interface ConnectRequest {
  readonly to: string;
  readonly hops?: number | HopRange | undefined;
  readonly path?: string[] | undefined;
  readonly gateway?: string | undefined;
  readonly anonymous?: boolean | undefined;
  readonly staticKey?: string | undefined;
  readonly unverifiedDestination?: boolean | undefined;
}

/** What a circuit is built by. */
export const circuitShape: z.ZodType<CircuitRequest, CircuitRequest> = z.strictObject({
  to: z.string().min(1).describe('[peerId@]host:port or a peer id'),
  hops: z.int().min(1).max(15).optional().describe('the peer included, over relays chosen from the directory; default 4'),
  isolation: z.string().optional().describe('connections with the same key may share relays'),
  path: z.array(z.string()).min(1).optional().describe('through these peers, peerId@host:port each, instead of chosen ones'),
  anonymous: z.boolean().optional().describe('shows the peer no identity; default true'),
});

export interface CircuitRequest {
  readonly to: string;
  readonly hops?: number | undefined;
  readonly isolation?: string | undefined;
  readonly path?: string[] | undefined;
  readonly anonymous?: boolean | undefined;
}
