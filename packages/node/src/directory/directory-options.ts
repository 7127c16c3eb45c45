import type { DirectoryFactory } from '@matryoshka/circuit';
import { MAX_DESCRIPTOR_LIFETIME_MS } from '@matryoshka/session';
import { MAX_DESCRIPTOR_ENDPOINTS } from '@matryoshka/wire';
import * as z from 'zod';

/** Which descriptors of others a node has, and what it says of itself. */
export interface DirectoryOptions {
  /** Where descriptors are kept: `memoryDirectory()` by default, `fileDirectory(file)` of `@matryoshka/node/directory`, or another one. */
  readonly store?: DirectoryFactory;
  /** Ids of the peers that descriptors are exchanged with; those of `peers` by default. Only they get any, or can give any. */
  readonly exchangeWith?: readonly string[];
  /** Whether this node gives a descriptor of its own to them; by default as long as it forwards relay links and is not hidden. */
  readonly publish?: boolean;
  /** Where others reach it, `host:port` each with an address; by default where it listens, unless that is everywhere (`0.0.0.0`). */
  readonly endpoints?: readonly string[];
  /** Who runs it: one name for all nodes of one operator, so that no path has two of them. Up to 63 bytes. */
  readonly operator?: string;
  /** What it can carry in all, in bytes per second; others believe it within bounds. */
  readonly bandwidthBytesPerSecond?: number;
  /** How long its descriptor is good for without it, in milliseconds; a day by default, a week at most. */
  readonly lifetimeMs?: number;
  /** How long to wait between two exchanges with a peer without news, in milliseconds; 10 minutes by default. */
  readonly intervalMs?: number;
}

/** The same with every default filled in. */
export type DirectorySettings = Required<Omit<DirectoryOptions, 'store' | 'exchangeWith' | 'publish' | 'endpoints'>> &
  Pick<DirectoryOptions, 'store' | 'exchangeWith' | 'publish' | 'endpoints'>;

interface Parsers {
  readonly peer: z.ZodType<string>;
  readonly place: z.ZodType<string>;
  readonly whole: (min: number, max: number) => z.ZodInt;
}

/** The schema of `directory`, made with what all options share. */
export function directoryObject({ peer, place, whole }: Parsers): z.ZodObject<Readonly<Record<keyof DirectoryOptions, z.ZodType>>> {
  const text63 = 'must be text of 63 bytes at most';
  return z.strictObject({
    store: z.custom((value) => typeof value === 'function', 'must be a store such as memoryDirectory()').optional(),
    exchangeWith: z.array(peer, 'must be a list of peer ids').max(1_000, 'must have 1000 entries at most').optional(),
    publish: z.boolean('must be true or false').optional(),
    endpoints: z
      .array(place, 'must be a list of endpoints')
      .max(MAX_DESCRIPTOR_ENDPOINTS, `must have ${MAX_DESCRIPTOR_ENDPOINTS} endpoints at most`)
      .optional(),
    operator: z
      .string(text63)
      .refine((text) => new TextEncoder().encode(text).length <= 63, text63)
      .default(''),
    bandwidthBytesPerSecond: whole(0, Number.MAX_SAFE_INTEGER).default(0),
    lifetimeMs: whole(60_000, MAX_DESCRIPTOR_LIFETIME_MS).default(24 * 3_600_000),
    intervalMs: whole(10_000, 24 * 3_600_000).default(600_000),
  });
}
