import type { ConnectOptions } from '@matryoshka/node';
import * as z from 'zod';
import { parsed } from '../config/config-key.ts';
import { checkPeer, destination } from '../node-flags.ts';

/** How a peer is reached: directly, over hops that relays choose, or telescoped through a path. */
export interface Way {
  readonly hops?: number | undefined;
  readonly path?: readonly string[] | undefined;
  readonly gateway?: string | undefined;
  /** Services are for peers they know: who this is is shown unless this says otherwise. */
  readonly anonymous?: boolean | undefined;
}

interface WayShape extends z.core.$ZodShape {
  readonly hops: z.ZodType<number | undefined>;
  readonly path: z.ZodType<string[] | undefined>;
  readonly gateway: z.ZodType<string | undefined>;
  readonly anonymous: z.ZodType<boolean | undefined>;
}

/** The shape of a way, for configuration and requests. */
export const wayShape: WayShape = {
  hops: z.int('must be a whole number from 1 to 15').min(1).max(15).optional().describe('relayed over this many hops, which relays choose'),
  path: z.array(parsed(checkPeer)).min(1).max(14).optional().describe('telescoped through these peers, peerId@host:port each'),
  gateway: parsed(destination).optional().describe('with hops: the first relay'),
  anonymous: z.boolean('must be true or false').optional().describe('shows no identity: only services for everybody are reached so'),
};

/** @throws TypeError for what does not go together */
export function checkWay({ hops, path, gateway }: Way): void {
  if (hops !== undefined && path !== undefined) throw new TypeError('either hops or path, not both');
  if (gateway !== undefined && hops === undefined) throw new TypeError('gateway goes with hops');
}

export function connectOptionsOf({ hops, path, gateway, anonymous = false }: Way): ConnectOptions {
  return { ...(hops !== undefined && { hops }), ...(path !== undefined && { path }), ...(gateway !== undefined && { gateway }), anonymous };
}
