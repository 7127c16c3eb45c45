import { DEFAULT_CIRCUIT_POOL_SETTINGS, type GuardStore, type PathPolicy } from '@matryoshka/circuit';
import * as z from 'zod';
import type { CircuitSettings } from './telescopes.ts';

/** How circuits are chosen and kept whose relays are not named (`connect(to, { circuit })`). */
export interface CircuitsOptions {
  /**
   * Chooses relays; by default distinct networks and operators, entry guards, by bandwidth, and rarely where it failed lately.
   */
  readonly policy?: PathPolicy;
  /** First hops that are kept for months; default 3. 0: a new one for each circuit, which meets a bad one sooner. */
  readonly entryGuards?: number;
  /** Where they are kept between two starts, such as `fileGuards(file)` of `@matryoshka/node/directory`; in memory by default. */
  readonly guards?: GuardStore;
  /** Circuits kept ready once one was asked for, for ten minutes; default 2. */
  readonly ready?: number;
  /** An older circuit is used for nothing new, in milliseconds; default 10 minutes. */
  readonly maxAgeMs?: number;
  /** So is one through which more has gone, in bytes; 0, the default: no limit. */
  readonly maxBytes?: number;
  /** Builds that may run side by side for one circuit, 1 or 2; default 2: when one takes longer than most. */
  readonly parallelBuilds?: 1 | 2;
}

/** The same with every default filled in. */
export type CircuitsNodeSettings = Required<Omit<CircuitsOptions, 'policy' | 'guards'>> & Pick<CircuitsOptions, 'policy' | 'guards'>;

/** The schema of `circuits`. */
export function circuitsObject(
  whole: (min: number, max: number) => z.ZodInt,
): z.ZodObject<Readonly<Record<keyof CircuitsOptions, z.ZodType>>> {
  const { maxAgeMs, maxBytes, ready } = DEFAULT_CIRCUIT_POOL_SETTINGS;
  const has = (name: string, what: string): z.ZodType =>
    z.custom(
      (value) => typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function',
      `must be ${what}`,
    );
  return z.strictObject({
    policy: has('selectPath', 'a PathPolicy').optional(),
    entryGuards: whole(0, 60).default(3),
    guards: has('save', 'a GuardStore').optional(),
    ready: whole(0, 64).default(ready),
    maxAgeMs: whole(1_000, 86_400_000).default(maxAgeMs),
    maxBytes: whole(0, Number.MAX_SAFE_INTEGER).default(maxBytes),
    parallelBuilds: whole(1, 2).default(2),
  });
}

/** What the circuits of a node are made with. */
export function circuitSettings({
  circuits,
  relay,
}: {
  readonly circuits: CircuitsNodeSettings;
  readonly relay: { readonly ipv4ExcludedNetworksCidrLeadingBits: number; readonly ipv6ExcludedNetworksCidrLeadingBits: number };
}): CircuitSettings {
  const networkBits = { ipv4Bits: relay.ipv4ExcludedNetworksCidrLeadingBits, ipv6Bits: relay.ipv6ExcludedNetworksCidrLeadingBits };
  return { ...circuits, policy: circuits.policy, guards: circuits.guards, networkBits };
}
