import { type AcceptRequest, type GuardedAddressClass, RELAY_MEMORY_BYTES, type RoutingPolicy } from '@matryoshka/relay';
import { type CryptoProvider, Identity, type Random } from '@matryoshka/session';
import type { Clock, TransportFactory } from '@matryoshka/transport';
import { MatryoshkaError, type SuiteName, parseDestination, parseEndpoint } from '@matryoshka/wire';
import * as z from 'zod';

/** How a node serves relay links (R1). */
export interface RelayNodeOptions {
  /** Serve relay links: forward them for others and accept them as their destination. Off by default. */
  readonly enabled?: boolean;
  /** Forward for others; `false` keeps only being a destination. Default true. */
  readonly forward?: boolean;
  /** Leading bits that make two IPv4 addresses one network, 0 to 32; default 16. 0: all of IPv4 is one network. */
  readonly ipv4ExcludedNetworksCidrLeadingBits?: number;
  /** The same for IPv6, 0 to 128; default 48. */
  readonly ipv6ExcludedNetworksCidrLeadingBits?: number;
  /** Kinds of addresses other than global ones that this node dials for others as the last hop (R17). Default none. */
  readonly allowDial?: readonly GuardedAddressClass[];
  /** Chooses next hops; random by default (R4). */
  readonly policy?: RoutingPolicy;
  /** Decides over relayed connections to this node, before any key material is touched (R10). */
  readonly accept?: (request: AcceptRequest) => boolean | Promise<boolean>;
  /** Bound of all credit granted for relaying, in bytes; default 256 MiB. */
  readonly relayMemoryBytes?: number;
}

/** Everything a node can be told. Only `transports` is needed. */
export interface NodeOptions {
  /** Who this node is; a new identity by default. */
  readonly identity?: Identity;
  /** Ways to make links, e.g. `tcp()`. */
  readonly transports: readonly TransportFactory[];
  /** Where to listen, e.g. `198.51.100.9:999`; nowhere by default. */
  readonly listen?: readonly string[];
  /** The secret of a closed network, 16 bytes or more; all its nodes need the same. */
  readonly networkKey?: Uint8Array;
  /** Peers known beforehand, as `peerId@host:port`: ways to reach them by id, and first relays where none is connected (R18). */
  readonly peers?: readonly string[];
  readonly relay?: RelayNodeOptions;
  /** Whether peers that show no identity are welcome; default true. Circuits of others need it on relays. */
  readonly acceptAnonymous?: boolean;
  /** How long a handshake may take, in milliseconds; default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Handshakes that may be in progress at once; default 256. */
  readonly maxHandshakes?: number;
  /** AEAD of the sessions this node opens; default `chacha20poly1305`. */
  readonly suite?: SuiteName;
  readonly provider?: CryptoProvider;
  readonly clock?: Clock;
  readonly random?: Random;
}

const text = (parse: (text: string) => unknown): z.ZodType<string> =>
  z.string().superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });
const callable = (what: string): z.ZodType => z.custom((value) => typeof value === 'function', `expected ${what}`);
const object = (what: string): z.ZodType => z.custom((value) => typeof value === 'object' && value !== null, `expected ${what}`);

const relaySchema = z.strictObject({
  enabled: z.boolean().default(false),
  forward: z.boolean().default(true),
  ipv4ExcludedNetworksCidrLeadingBits: z.int().min(0).max(32).default(16),
  ipv6ExcludedNetworksCidrLeadingBits: z.int().min(0).max(128).default(48),
  allowDial: z.array(z.enum(['loopback', 'link-local', 'private', 'multicast', 'unspecified', 'metadata', 'reserved'])).default([]),
  policy: object('a RoutingPolicy').optional(),
  accept: callable('a function').optional(),
  relayMemoryBytes: z.int().min(64 * 1024).default(RELAY_MEMORY_BYTES),
});

const nodeSchema = z.strictObject({
  identity: z.instanceof(Identity).optional(),
  transports: z.array(callable('a transport such as tcp()')).min(1),
  listen: z.array(text(parseEndpoint)).max(8).default([]),
  networkKey: z.instanceof(Uint8Array).refine((key) => key.length >= 16, 'expected at least 16 bytes').optional(),
  peers: z.array(text(parsePeer)).default([]),
  relay: relaySchema.prefault({}),
  acceptAnonymous: z.boolean().default(true),
  handshakeTimeoutMs: z.int().min(100).max(600_000).default(10_000),
  maxHandshakes: z.int().min(1).max(65_536).default(256),
  suite: z.enum(['chacha20poly1305', 'aes256gcm']).default('chacha20poly1305'),
  provider: object('a CryptoProvider').optional(),
  clock: object('a Clock').optional(),
  random: object('a Random').optional(),
});

/** Options with every default filled in. */
export interface ParsedOptions extends Required<Omit<NodeOptions, 'relay' | 'identity' | 'networkKey' | 'provider' | 'clock' | 'random'>> {
  readonly identity: Identity | undefined;
  readonly networkKey: Uint8Array | undefined;
  readonly provider: CryptoProvider | undefined;
  readonly clock: Clock | undefined;
  readonly random: Random | undefined;
  readonly relay: Required<Omit<RelayNodeOptions, 'policy' | 'accept'>> & Pick<RelayNodeOptions, 'policy' | 'accept'>;
}

function parsePeer(value: string): void {
  const destination = parseDestination(value);
  if (destination.type !== 'endpoint' || destination.peerId === undefined) throw new TypeError('expected peerId@host:port');
}

/**
 * Validates options and fills in the defaults.
 * @throws MatryoshkaError `config.invalid` that names the option, the value and what is allowed
 */
export function parseNodeOptions(options: unknown): ParsedOptions {
  const result = nodeSchema.safeParse(options);
  if (result.success) return result.data as unknown as ParsedOptions;
  const problems = result.error.issues.map((issue) => {
    const key = issue.path.map(String).join('.');
    return key === '' ? issue.message : `${key}: ${issue.message}`;
  });
  throw new MatryoshkaError('config.invalid', `invalid options: ${problems.join('; ')}`);
}
