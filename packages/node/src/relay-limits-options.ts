import { DEFAULT_RELAY_LIMITS, type RelayLimitSettings } from '@matryoshka/relay';
import * as z from 'zod';
import { type KnownOptions, configError } from './config-error.ts';

/** Limits of what is left out stay as they are: none by default. */
export interface RelayLimitsOptions {
  /** Of each relay link that is forwarded: bytes per second, 8,192 at least, bytes in all, age in milliseconds. */
  readonly link?: Partial<RelayLimitSettings['link']>;
  /** Of all links of one peer together, and how many there may be. */
  readonly peer?: Partial<RelayLimitSettings['peer']>;
  /** Of all links together, and how many there may be. */
  readonly node?: Partial<RelayLimitSettings['node']>;
  /** After this time the bytes of a peer, and of the node, are there again, in milliseconds; default one day. */
  readonly periodMs?: number;
}

const MIN_BYTES_PER_SECOND = 8192;

function whole(min: number, max: number): z.ZodInt {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

const linkShape = {
  bytesPerSecond: whole(0, 0xffff_ffff)
    .refine((rate) => rate === 0 || rate >= MIN_BYTES_PER_SECOND, `must be 0 for no limit, or ${MIN_BYTES_PER_SECOND} at least`)
    .default(0),
  maxBytes: whole(0, Number.MAX_SAFE_INTEGER).default(0),
  maxAgeMs: whole(0, 0xffff_ffff).default(0),
};
const sharedShape = { links: whole(0, 0xffff_ffff).default(0), ...linkShape };

const limitsObject = z.strictObject({
  link: z.strictObject(linkShape).prefault({}),
  peer: z.strictObject(sharedShape).prefault({}),
  node: z.strictObject(sharedShape).prefault({}),
  periodMs: whole(1000, 31_622_400_000).default(DEFAULT_RELAY_LIMITS.periodMs),
});

export const relayLimitsObject: z.ZodObject = limitsObject;

/** The options there are, by the path of the object they are in. */
export const KNOWN_RELAY_LIMITS: KnownOptions = {
  'relay.limits': Object.keys(limitsObject.shape),
  'relay.limits.link': Object.keys(linkShape),
  'relay.limits.peer': Object.keys(sharedShape),
  'relay.limits.node': Object.keys(sharedShape),
};

/**
 * The settings that `update` makes of those there are.
 * @throws MatryoshkaError `config.invalid` that names each wrong option, what is allowed, and what it was
 */
export function updateRelayLimits(settings: RelayLimitSettings, update: RelayLimitsOptions): RelayLimitSettings {
  const merged = {
    ...settings,
    ...update,
    link: { ...settings.link, ...update.link },
    peer: { ...settings.peer, ...update.peer },
    node: { ...settings.node, ...update.node },
  };
  const wrapped = { relay: { limits: merged } };
  const result = z.strictObject({ relay: z.strictObject({ limits: limitsObject }) }).safeParse(wrapped);
  if (!result.success) throw configError(result.error, wrapped, KNOWN_RELAY_LIMITS);
  return result.data.relay.limits;
}
