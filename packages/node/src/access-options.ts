import { DEFAULT_ALLOWANCE_SETTINGS, DEFAULT_REPUTATION_SETTINGS, type ReputationSettings } from '@matryoshka/relay';
import { type PeerId, parsePeerId } from '@matryoshka/session';
import { DEFAULT_ADMISSION_SETTINGS, IpFilter, parseIpNetwork } from '@matryoshka/transport';
import type { Allowance } from '@matryoshka/wire';
import * as z from 'zod';
import { type KnownOptions, configError } from './config-error.ts';

/** Relay requests that a neighbour may make, is told of, and is held to (R14). 0 is no limit. */
export type AllowanceOptions = { readonly [Name in keyof Allowance]?: Allowance[Name] };

/** Who may connect to this node and what neighbours may ask. */
export interface AccessOptions {
  /** Networks that may connect, as `10.0.0.0/8`, `2001:db8::/32` or a single address; none: all. IPv4 inside IPv6 counts as IPv4. */
  readonly allow?: readonly string[];
  /** Networks that may not: denying wins over allowing. */
  readonly deny?: readonly string[];
  /** The only peers that may open sessions to this node, by id; without it all. Whether anonymous ones may is `acceptAnonymous`. */
  readonly allowPeers?: readonly string[] | undefined;
  /** Peers that may not: denying wins over allowing. */
  readonly denyPeers?: readonly string[];
  /**
   * Answers direct connections only where they are made to `staticKey` of this node: to all others it is as if nothing
   * listened for them. Default false. Such connections are anonymous, so it needs `acceptAnonymous`.
   */
  readonly hidden?: boolean;
  /** Networks that the limits per source network of connections and attempts do not apply to. Default none. */
  readonly exempt?: readonly string[];
  /** Leading bits that make two IPv4 addresses one source network for limits, 0 to 32; default 24. */
  readonly ipv4SourceBits?: number;
  /** The same for IPv6, 0 to 128; default 48. */
  readonly ipv6SourceBits?: number;
  /** Accepted connections open at once; default 16,384. */
  readonly maxConnections?: number;
  /** Those of one source network; default 1,024. */
  readonly maxConnectionsPerNetwork?: number;
  /** How often one source network may connect, per second; default 10. Both 0: no limit. */
  readonly attemptsPerSecond?: number;
  /** How often at once, after a rest; default 100. */
  readonly attemptBurst?: number;
  /** What neighbours may ask of this relay (R14). */
  readonly allowances?: {
    /** Direct neighbours that are not among `peers`, all of one source network together; default 10 requests in 10 s. */
    readonly unknown?: AllowanceOptions;
    /** Those that are, each; default 1,000 requests per second. */
    readonly known?: AllowanceOptions;
    /** Sessions that came over a relay link, each, besides that they count in those that carry them; default 10 requests in 10 s. */
    readonly relayed?: AllowanceOptions;
  };
  /** What misbehaviour of direct neighbours costs them. */
  readonly reputation?: { readonly [Name in keyof ReputationSettings]?: ReputationSettings[Name] };
}

/** What may change while a node runs: all that decides over who may come. What is left out stays as it is. */
export interface AccessUpdate extends AccessOptions {
  /** As the option of the node. */
  readonly acceptAnonymous?: boolean;
  /** As the option of the node. */
  readonly maxHandshakes?: number;
}

/** Access options with every default filled in. */
export interface AccessSettings extends Required<Omit<AccessOptions, 'allowPeers' | 'denyPeers' | 'allowances' | 'reputation'>> {
  /** Undefined: everybody who is not denied. */
  readonly allowPeers?: readonly PeerId[] | undefined;
  /** Never let in, whatever else allows them. */
  readonly denyPeers: readonly PeerId[];
  /** What neighbours may ask: of strangers, of peers named in `peers`, and of those who came over a relay link. */
  readonly allowances: { readonly unknown: Allowance; readonly known: Allowance; readonly relayed: Allowance };
  /** From which score on neighbours are refused, and how fast it recovers. */
  readonly reputation: ReputationSettings;
}

/** The options of a node that decide over who may come. */
export interface DoorSettings {
  /** Networks and peers that may come, and what they may ask. */
  readonly access: AccessSettings;
  /** Whether peers that show no identity are welcome. */
  readonly acceptAnonymous: boolean;
  /** Handshakes in progress at most. */
  readonly maxHandshakes: number;
}

const MAX_LIST = 10_000;
const ALLOWANCE_NAMES = ['requestsPerSecond', 'burst', 'handshakes', 'links'];
const admission = DEFAULT_ADMISSION_SETTINGS;
const flag = z.boolean('must be true or false');
const network = entry(parseIpNetwork);
const peer = entry(parsePeerId);
const networks = list(network, 'networks').default([]);

function entry(parse: (text: string) => unknown): z.ZodType<string> {
  return z.string('must be text').superRefine((value, context) => {
    const message = problemOf(() => parse(value));
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function list(item: z.ZodType<string>, what: string): z.ZodArray<z.ZodType<string>> {
  return z.array(item, `must be a list of ${what}`).max(MAX_LIST, `must have ${MAX_LIST} entries at most`);
}

function whole(min: number, max: number): z.ZodInt {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

function score(): z.ZodNumber {
  const message = 'must be a number from 0 to 100';
  return z.number(message).min(0, message).max(100, message);
}

function allowance(defaults: Allowance) {
  return z
    .strictObject({
      requestsPerSecond: whole(0, 0xffff_ffff).default(defaults.requestsPerSecond),
      burst: whole(0, 0xffff_ffff).default(defaults.burst),
      handshakes: whole(0, 0xffff).default(defaults.handshakes),
      links: whole(0, 0xffff_ffff).default(defaults.links),
    })
    .refine(({ requestsPerSecond, burst }) => requestsPerSecond > 0 || burst === 0, {
      path: ['requestsPerSecond'],
      error: 'must not be 0 where burst is not: nothing would ever come back',
    })
    .prefault({});
}

const allowancesSchema = z.strictObject({
  unknown: allowance(DEFAULT_ALLOWANCE_SETTINGS.unknown),
  known: allowance(DEFAULT_ALLOWANCE_SETTINGS.known),
  relayed: allowance(DEFAULT_ALLOWANCE_SETTINGS.relayed),
});

const reputationSchema = z.strictObject({
  recoverPerMinute: score().default(DEFAULT_REPUTATION_SETTINGS.recoverPerMinute),
  refuseBelow: score().default(DEFAULT_REPUTATION_SETTINGS.refuseBelow),
  closeBelow: score().default(DEFAULT_REPUTATION_SETTINGS.closeBelow),
});

const accessObject = z.strictObject({
  allow: networks,
  deny: networks,
  allowPeers: list(peer, 'peer ids').optional(),
  denyPeers: list(peer, 'peer ids').default([]),
  hidden: flag.default(false),
  exempt: networks,
  ipv4SourceBits: whole(0, 32).default(admission.sourceBits.ipv4Bits),
  ipv6SourceBits: whole(0, 128).default(admission.sourceBits.ipv6Bits),
  maxConnections: whole(1, 1_000_000).default(admission.maxConnections),
  maxConnectionsPerNetwork: whole(1, 1_000_000).default(admission.maxConnectionsPerNetwork),
  attemptsPerSecond: whole(0, 1_000_000).default(admission.attempts.perSecond),
  attemptBurst: whole(0, 1_000_000).default(admission.attempts.burst),
  allowances: allowancesSchema.prefault({}),
  reputation: reputationSchema.prefault({}),
});

// What no single option is wrong by, but two together are.
const accessSchema = accessObject
  .superRefine(({ allow, allowPeers, attemptBurst, attemptsPerSecond, deny, denyPeers }, context) => {
    const problem = (path: string, message: string | undefined): void => {
      if (message !== undefined) context.addIssue({ code: 'custom', path: [path], message });
    };
    problem(
      'allow',
      problemOf(() => new IpFilter(allow, deny)),
    );
    const both = allowPeers?.find((peerId) => denyPeers.includes(peerId));
    if (both !== undefined) problem('allowPeers', `${both} is allowed and denied as well`);
    if (attemptsPerSecond === 0 && attemptBurst > 0)
      problem('attemptsPerSecond', 'must not be 0 where attemptBurst is not: nobody could connect any more');
  })
  .prefault({});

/** The options of a node that are here. */
export const doorShape: { readonly acceptAnonymous: z.ZodType; readonly maxHandshakes: z.ZodType; readonly access: z.ZodType } = {
  acceptAnonymous: flag.default(true),
  maxHandshakes: whole(1, 65_536).default(256),
  access: accessSchema,
};

/** Of all of them together. */
export function refineDoor(options: Partial<DoorSettings>, context: z.RefinementCtx): void {
  if (options.access?.hidden === true && options.acceptAnonymous === false)
    context.addIssue({
      code: 'custom',
      path: ['access', 'hidden'],
      message: 'needs acceptAnonymous: whoever connects to a static key shows no identity',
    });
}

const doorSchema = z.strictObject(doorShape).superRefine((options, context) => refineDoor(options as unknown as DoorSettings, context));

/** The options there are, by the path of the object they are in. */
export const KNOWN_ACCESS: KnownOptions = {
  'access': Object.keys(accessObject.shape),
  'access.allowances': Object.keys(allowancesSchema.shape),
  'access.allowances.unknown': ALLOWANCE_NAMES,
  'access.allowances.known': ALLOWANCE_NAMES,
  'access.allowances.relayed': ALLOWANCE_NAMES,
  'access.reputation': Object.keys(reputationSchema.shape),
};

/**
 * The settings that `update` makes of those there are.
 * @throws MatryoshkaError `config.invalid` that names each wrong option, what is allowed, and what it was
 */
export function updateDoor(settings: DoorSettings, update: AccessUpdate): DoorSettings {
  const { acceptAnonymous = settings.acceptAnonymous, maxHandshakes = settings.maxHandshakes, ...access } = update;
  const merged = { acceptAnonymous, maxHandshakes, access: merge(settings.access, access) };
  const result = doorSchema.safeParse(merged);
  if (!result.success) throw configError(result.error, merged, KNOWN_ACCESS);
  return result.data as DoorSettings;
}

/** What is an object in both is merged, anything else replaced. */
function merge(settings: object, update: object): object {
  const merged: Record<string, unknown> = { ...settings };
  for (const [name, value] of Object.entries(update)) {
    const before = merged[name];
    merged[name] = isRecord(before) && isRecord(value) ? merge(before, value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
