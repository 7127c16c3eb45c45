import type { NetworkBits } from '@matryoshka/transport';
import type { PeerId } from '@matryoshka/session';
import type { Endpoint } from '@matryoshka/wire';
import { type AllowanceSettings, DEFAULT_ALLOWANCE_SETTINGS } from './allowance.ts';
import { RELAY_MEMORY_BYTES } from './credit-pool.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimitSettings } from './relay-limits.ts';
import type { GuardedAddressClass } from './dial-policy.ts';
import type { RelayPorts } from './port-naming.ts';
import type { RegistrationLimits } from './registrations.ts';
import { DEFAULT_REPUTATION_SETTINGS, type ReputationSettings } from './reputation.ts';
import { type RoutingPolicy, randomNextHop } from './routing-policy.ts';

/** A request to be the destination of a relayed connection, as the accept hook sees it (R10). */
export interface AcceptRequest {
  /** Who asks: the last relay, not the originator. */
  readonly previousHop: PeerId | undefined;
  /** Where that relay is. */
  readonly endpoint: Endpoint;
  /** Names the link on its session. */
  readonly relayPort: bigint;
}

/** What a node does for others' relay links, and how it chooses for its own. */
export interface RelayOptions {
  /** Whether relay links are served at all: forwarded, and accepted as their destination (R1). Off by default. */
  readonly enabled: boolean;
  /** Whether relay links are forwarded for others. */
  readonly forward: boolean;
  /** How the relay ports of links that are forwarded go on (R6). */
  readonly relayPorts: RelayPorts;
  /** How much of two addresses has to be equal for them to be in one network (R4). */
  readonly networkBits: NetworkBits;
  /** Addresses that are not global and may be dialled for others nevertheless (R17). */
  readonly allowDial: readonly GuardedAddressClass[];
  /** Chooses among those whom the exclusions leave. */
  readonly policy: RoutingPolicy;
  /**
   * Offers the policy also those whom R4 excludes by their network, marked `excluded`: it then decides about that alone.
   * Never those who are this node, the previous hop or the destination by identity, nor who leads in a circle.
   */
  readonly dangerouslyOfferExcluded: boolean;
  /** Decides over relayed connections to this node, before any key material is touched (R10). */
  readonly accept: ((request: AcceptRequest) => boolean | Promise<boolean>) | undefined;
  /** Bound of all credit granted for relaying, in bytes. */
  readonly relayMemoryBytes: number;
  /** How many may be registered with this node to be reached through it (R9). */
  readonly registrations: RegistrationLimits;
  /** A closed port is not used again, and its late messages are let go, for this long. */
  readonly graceMs: number;
  /** A connection made only to serve relay links closes this long after the last one. */
  readonly idleMs: number;
  /** Accept hooks that may be undecided at once. */
  readonly maxUndecided: number;
  /** What links that are forwarded are held to at the beginning (R16); `RelayService.updateLimits` changes it. */
  readonly limits: RelayLimitSettings;
  /** What neighbours may ask at the beginning (R14); `RelayService.allowances` changes it. */
  readonly allowances: AllowanceSettings;
  /** What their deeds weigh at the beginning; `RelayService.reputations` changes it. */
  readonly reputation: ReputationSettings;
}

/** Off; networks are /16 and /48, choices random. */
export const DEFAULT_RELAY_OPTIONS: RelayOptions = {
  enabled: false,
  forward: true,
  relayPorts: 'end-to-end',
  networkBits: { ipv4Bits: 16, ipv6Bits: 48 },
  allowDial: [],
  policy: randomNextHop,
  dangerouslyOfferExcluded: false,
  accept: undefined,
  relayMemoryBytes: RELAY_MEMORY_BYTES,
  registrations: { maxRegistrations: 1024, maxRegistrationsPerNetwork: 64 },
  graceMs: 30_000,
  idleMs: 30_000,
  maxUndecided: 256,
  limits: DEFAULT_RELAY_LIMITS,
  allowances: DEFAULT_ALLOWANCE_SETTINGS,
  reputation: DEFAULT_REPUTATION_SETTINGS,
};
