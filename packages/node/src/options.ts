import { DEFAULT_RESUME_SETTINGS, type ResumeSettings } from '@matryoshka/peer';
import {
  type AcceptRequest,
  type GuardedAddressClass,
  RELAY_MEMORY_BYTES,
  type RelayLimitSettings,
  type RelayPorts,
  type RoutingPolicy,
} from '@matryoshka/relay';
import {
  type CryptoProvider,
  IDENTITY_SEED_LENGTH,
  Identity,
  KEY_LENGTH,
  type Random,
  parsePeerId,
  parseStaticKey,
} from '@matryoshka/session';
import type { Clock, TransportFactory } from '@matryoshka/transport';
import { type SuiteName, parseAddress, parseDestination, parseEndpoint } from '@matryoshka/wire';
import * as z from 'zod';
import { type AccessOptions, type DoorSettings, KNOWN_ACCESS, doorShape, refineDoor } from './access-options.ts';
import { type CircuitsNodeSettings, type CircuitsOptions, circuitsObject } from './circuits-options.ts';
import { type KnownOptions, type OptionProblem, configError, optionProblems } from './config-error.ts';
import { type DirectoryOptions, type DirectorySettings, directoryObject } from './directory/directory-options.ts';
import { KNOWN_RELAY_LIMITS, type RelayLimitsOptions, relayLimitsObject } from './relay-limits-options.ts';
import { type TrafficOption, trafficSchema } from './traffic-options.ts';

/** How a node serves relay links (R1). */
export interface RelayNodeOptions {
  /** Serve relay links: forward them for others and accept them as their destination. Off by default. */
  readonly enabled?: boolean;
  /** Forward for others; `false` keeps only being a destination. Default true. */
  readonly forward?: boolean;
  /** `per-hop`: each link that is forwarded gets another relay port on the next hop; default `end-to-end`, where all records have one length (`traffic`) `per-hop` (R6). */
  readonly relayPorts?: RelayPorts | undefined;
  /** Leading bits that make two IPv4 addresses one network, 0 to 32; default 16. 0: all of IPv4 is one network. */
  readonly ipv4ExcludedNetworksCidrLeadingBits?: number;
  /** The same for IPv6, 0 to 128; default 48. */
  readonly ipv6ExcludedNetworksCidrLeadingBits?: number;
  /** Kinds of addresses other than global ones that this node dials for others as the last hop (R17). Default none. */
  readonly allowDial?: readonly GuardedAddressClass[];
  /** Chooses next hops; random by default (R4). Ready ones are in `routing`, and the tutorial says how to write one. */
  readonly policy?: RoutingPolicy;
  /** What the policy shall know of peers: words of one's own by peer id, e.g. `operator:NAME` for who runs it. */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  /**
   * Offers the policy also neighbours that R4 excludes, because they share a network with this node, the previous hop or the
   * destination; each says so (`excluded`). Dangerous: a random choice among them lets one operator be several hops.
   */
  readonly dangerouslyOfferExcluded?: boolean;
  /** Decides over relayed connections to this node, before any key material is touched (R10). */
  readonly accept?: (request: AcceptRequest) => boolean | Promise<boolean>;
  /**
   * Relays to be reached through as `peerId@relayPeerId@host:port`, `peerId@host:port` each, 16 at most (R9): the node keeps
   * itself registered with them as long as it serves relay links. For whoever can only dial out.
   */
  readonly registerWith?: readonly string[];
  /** Peers that may be registered with this node, to be reached through it; default 1,024. 0: none. */
  readonly maxRegistrations?: number;
  /** Bound of all credit granted for relaying, in bytes; default 256 MiB. */
  readonly relayMemoryBytes?: number;
  /** What relay links that are forwarded are held to (R16); none by default. `MatryoshkaNode.updateRelayLimits` changes it. */
  readonly limits?: RelayLimitsOptions;
}

/** How connections outlive their links. What is left out has its default. */
export type ResumeNodeOptions = { readonly [Name in keyof ResumeSettings]?: ResumeSettings[Name] };

/** Everything a node can be told. Only `transports` is needed. */
export interface NodeOptions {
  /** Who this node is: an identity, or the seed of one, 32 bytes; a new one by default. */
  readonly identity?: Identity | Uint8Array;
  /**
   * The X25519 secret that handshakes to the static key of this node are answered with, 32 bytes. By default it follows
   * from the identity, so that the static key stays as long as that does. Another one changes only the static key.
   */
  readonly staticKey?: Uint8Array;
  /** Ways to make links, e.g. `tcp()`. */
  readonly transports: readonly TransportFactory[];
  /** Where to listen, e.g. `198.51.100.9:999`; nowhere by default. */
  readonly listen?: readonly string[];
  /** The secret of a closed network, 16 bytes or more; all its nodes need the same. */
  readonly networkKey?: Uint8Array;
  /**
   * Peers known beforehand, as `peerId[+staticKey]@host:port`: ways to reach them by id, and first relays where none is connected (R18). A
   * peer that can be reached in several ways is named as often: they are tried in turn, also when its connection breaks.
   */
  readonly peers?: readonly string[];
  /** Relaying for others, and what relayed connections of this node do. */
  readonly relay?: RelayNodeOptions;
  /** Whether peers that show no identity are welcome; default true. Circuits of others need it on relays. */
  readonly acceptAnonymous?: boolean;
  /** How long a handshake may take, in milliseconds; default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Handshakes that may be in progress at once; default 256. */
  readonly maxHandshakes?: number;
  /** Who may connect, and what neighbours may ask; `MatryoshkaNode.updateAccess` changes it. */
  readonly access?: AccessOptions;
  /** How connections look to those who see their bytes; `standard` by default. `MatryoshkaNode.updateTraffic` changes it. */
  readonly traffic?: TrafficOption;
  /** How connections outlive their links. */
  readonly resume?: ResumeNodeOptions;
  /** How circuits are chosen and kept whose relays are not named. */
  readonly circuits?: CircuitsOptions;
  /** The descriptors of others that circuits are built from, and this node's own one. */
  readonly directory?: DirectoryOptions;
  /** AEAD of the sessions this node opens; by default the one that is faster on this machine. */
  readonly suite?: SuiteName;
  /** Cryptography; native where that loads, else portable. */
  readonly provider?: CryptoProvider;
  /** Time; that of the system by default. */
  readonly clock?: Clock;
  /** Randomness; that of the platform by default. */
  readonly random?: Random;
}

const text = (parse: (text: string) => unknown): z.ZodType<string> =>
  z.string('must be text').superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });
const callable = (what: string): z.ZodType => z.custom((value) => typeof value === 'function', `must be ${what}`);
const object = (what: string): z.ZodType => z.custom((value) => typeof value === 'object' && value !== null, `must be ${what}`);
const flag = z.boolean('must be true or false');

function whole(min: number, max: number): z.ZodInt {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names): z.ZodType<Names[number]> {
  return z.enum(names, `must be one of ${names.join(', ')}`);
}

const MAX_TAG_LENGTH = 72;
const TAG = `must have 1 to ${MAX_TAG_LENGTH} characters`;
const TAGS = 'must be lists of tags by peer id';
const STATIC_KEY = `must be a Uint8Array of ${KEY_LENGTH} bytes`;
const NETWORK_KEY = 'must be a Uint8Array of at least 16 bytes';

const relaySchema = z.strictObject({
  enabled: flag.default(false),
  forward: flag.default(true),
  relayPorts: oneOf(['end-to-end', 'per-hop']).optional(),
  ipv4ExcludedNetworksCidrLeadingBits: whole(0, 32).default(16),
  ipv6ExcludedNetworksCidrLeadingBits: whole(0, 128).default(48),
  allowDial: z
    .array(oneOf(['loopback', 'link-local', 'private', 'multicast', 'unspecified', 'metadata', 'reserved']), 'must be a list')
    .default([]),
  policy: z.custom(isPolicy, 'must be a RoutingPolicy: an object with selectNextHop()').optional(),
  tags: z
    .record(text(parsePeerId), z.array(z.string('must be text').min(1, TAG).max(MAX_TAG_LENGTH, TAG), 'must be a list of tags'), TAGS)
    .default({}),
  dangerouslyOfferExcluded: flag.default(false),
  accept: callable('a function').optional(),
  registerWith: z.array(text(parseRelay), 'must be a list of relays').max(16, 'must have 16 relays at most').default([]),
  maxRegistrations: whole(0, 1_000_000).default(1024),
  relayMemoryBytes: whole(64 * 1024, 2 ** 40).default(RELAY_MEMORY_BYTES),
  limits: relayLimitsObject.prefault({}),
});

const resumeSchema = z.strictObject({
  graceMs: whole(0, 3_600_000).default(DEFAULT_RESUME_SETTINGS.graceMs),
  retainedBytes: whole(128 * 1024, 2 ** 30).default(DEFAULT_RESUME_SETTINGS.retainedBytes),
  stallMs: whole(0, 3_600_000).default(DEFAULT_RESUME_SETTINGS.stallMs),
  maxSuspended: whole(0, 1_000_000).default(DEFAULT_RESUME_SETTINGS.maxSuspended),
  maxSuspendedPerNetwork: whole(0, 1_000_000).default(DEFAULT_RESUME_SETTINGS.maxSuspendedPerNetwork),
  maxSuspendedPerPeer: whole(0, 1_000_000).default(DEFAULT_RESUME_SETTINGS.maxSuspendedPerPeer),
});

const directorySchema = directoryObject({ peer: text(parsePeerId), place: text(parseAddressed), whole });

const circuitsSchema = circuitsObject(whole);

const nodeSchema = z.strictObject({
  identity: z
    .custom((value) => value instanceof Identity || (value instanceof Uint8Array && value.length === IDENTITY_SEED_LENGTH), {
      error: `must be an Identity, see createIdentity(), or a seed of ${IDENTITY_SEED_LENGTH} bytes`,
    })
    .optional(),
  staticKey: z.custom((value) => value instanceof Uint8Array && value.length === KEY_LENGTH, STATIC_KEY).optional(),
  transports: z
    .array(callable('a transport such as tcp()'), 'must be a list of transports such as tcp()')
    .min(1, 'must name at least one transport such as tcp()'),
  listen: z.array(text(parsePlace), 'must be a list of endpoints').max(8, 'must have 8 endpoints at most').default([]),
  networkKey: z
    .instanceof(Uint8Array, { error: NETWORK_KEY })
    .refine((key) => key.length >= 16, NETWORK_KEY)
    .optional(),
  peers: z.array(text(parsePeer), 'must be a list of peers').default([]),
  relay: relaySchema.prefault({}),
  ...doorShape,
  handshakeTimeoutMs: whole(100, 600_000).default(10_000),
  traffic: trafficSchema.default('standard'),
  resume: resumeSchema.prefault({}),
  circuits: circuitsSchema.prefault({} as never),
  directory: directorySchema.prefault({} as never),
  suite: oneOf(['chacha20poly1305', 'aes256gcm']).optional(),
  provider: object('a CryptoProvider').optional(),
  clock: object('a Clock').optional(),
  random: object('a Random').optional(),
});

/** The options there are, by the path of the object they are in. */
const KNOWN: KnownOptions = {
  '': Object.keys(nodeSchema.shape),
  'relay': Object.keys(relaySchema.shape),
  'resume': Object.keys(resumeSchema.shape),
  'circuits': Object.keys(circuitsSchema.shape),
  'directory': Object.keys(directorySchema.shape),
  ...KNOWN_ACCESS,
  ...KNOWN_RELAY_LIMITS,
};

/** Options with every default filled in. */
export interface ParsedOptions
  extends
    DoorSettings,
    Required<
      Omit<
        NodeOptions,
        | 'relay'
        | 'resume'
        | 'circuits'
        | 'directory'
        | keyof DoorSettings
        | 'identity'
        | 'staticKey'
        | 'networkKey'
        | 'suite'
        | 'provider'
        | 'clock'
        | 'random'
      >
    > {
  /** Undefined: a new one for each start. */
  readonly identity: Identity | Uint8Array | undefined;
  /** Secret of 32 bytes; undefined: made from the identity. */
  readonly staticKey: Uint8Array | undefined;
  /** Undefined: an open network. */
  readonly networkKey: Uint8Array | undefined;
  /** Undefined: the faster one. */
  readonly suite: SuiteName | undefined;
  /** Undefined: native where that loads, else portable. */
  readonly provider: CryptoProvider | undefined;
  /** Undefined: that of the system. */
  readonly clock: Clock | undefined;
  /** Undefined: that of the platform. */
  readonly random: Random | undefined;
  /** How long a connection may be without a link, and what is kept meanwhile. */
  readonly resume: ResumeSettings;
  /** Circuits kept ready, and how they are built. */
  readonly circuits: CircuitsNodeSettings;
  /** The descriptors of others, and this node's own one. */
  readonly directory: DirectorySettings;
  /** As given; what the service decides by itself unless told may be undefined. */
  readonly relay: Required<Omit<RelayNodeOptions, 'policy' | 'accept' | 'relayPorts' | 'limits'>> &
    Pick<RelayNodeOptions, 'policy' | 'accept' | 'relayPorts'> & { readonly limits: RelayLimitSettings };
}

function isPolicy(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'selectNextHop' in value && typeof value.selectNextHop === 'function';
}

function parsePlace(value: string): void {
  if (parseEndpoint(value).relayPort !== undefined) throw new TypeError('must be host:port, without a relay port');
}

/** A place that goes into a descriptor, where names do not. */
function parseAddressed(value: string): void {
  parsePlace(value);
  const { host, port } = parseEndpoint(value);
  if (parseAddress(host) === undefined || port === 0) throw new TypeError('must be address:port, no name and no port 0');
}

function parsePeer(value: string): void {
  const destination = parseDestination(value);
  if (destination.type !== 'endpoint' || destination.peerId === undefined || destination.endpoint.relayPort !== undefined)
    throw new TypeError('must be peerId@host:port or peerId+staticKey@host:port');
  parsePeerId(destination.peerId);
  if (destination.staticKey !== undefined) parseStaticKey(destination.staticKey);
}

/** A relay has to know who registers; where a static key is used nobody shows that. */
function parseRelay(value: string): void {
  const destination = parseDestination(value);
  if (destination.type !== 'endpoint' || destination.peerId === undefined || destination.endpoint.relayPort !== undefined)
    throw new TypeError('must be peerId@host:port');
  if (destination.staticKey !== undefined) throw new TypeError('must be peerId@host:port, without a static key');
  parsePeerId(destination.peerId);
}

/**
 * Validates options and fills in the defaults.
 * @throws MatryoshkaError `config.invalid` that names each wrong option, what is allowed, and what it was
 */
export function parseNodeOptions(options: unknown): ParsedOptions {
  const result = check(options);
  if (result.success) return result.data as ParsedOptions;
  throw configError(result.error, options, KNOWN);
}

/** What is wrong with each option, without making a node: nothing where all is well. */
export function nodeOptionProblems(options: unknown): readonly OptionProblem[] {
  const result = check(options);
  return result.success ? [] : optionProblems(result.error, options, KNOWN);
}

/** The options there are, by the path of the object they are in; that of the whole is empty. */
export function knownNodeOptions(): KnownOptions {
  return KNOWN;
}

function check(options: unknown): z.ZodSafeParseResult<unknown> {
  return nodeSchema.superRefine((parsed, context) => refineDoor(parsed as unknown as DoorSettings, context)).safeParse(options);
}
