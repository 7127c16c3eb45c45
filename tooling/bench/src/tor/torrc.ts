import type { SendWindows } from '../channel/sender.ts';

// Configuration of a private Tor network: an authority, relays and a client, all on loopback.

/** Seconds between two votes, the least that a test network may have: a relay that comes late is in the next consensus. */
const VOTING_INTERVAL_SECONDS = 10;
const VOTE_DELAY_SECONDS = 2;

/** What of a network differs from Tor's defaults. */
export interface TorTuning {
  readonly consensusParams: Readonly<Record<string, number>>;
  /** Further lines for every torrc. */
  readonly options: readonly string[];
  /** Whether small packets are to leave at once, which Tor has no option for. */
  readonly noDelay: boolean;
  /**
   * Bulk data on the way. Tor's client reads on from the application while its circuit is full, hundreds of megabytes,
   * and whatever it holds delays round trips on the same circuit. For bulk data this is the least that gives the whole
   * throughput, beside round trips what gives most of it and round trips that are several times faster.
   */
  readonly windows: SendWindows;
}

/** Tor as it comes. */
export const DEFAULT_TUNING: TorTuning = {
  consensusParams: {},
  options: [],
  noDelay: false,
  windows: { bulkBytes: 1024 * 1024, loadBytes: 512 * 1024 },
};

/** The best that was found: windows that start wide and stay wide, less queueing, no delayed acknowledgements. */
export const BEST_TUNING: TorTuning = {
  consensusParams: {
    cc_cwnd_init: 1000,
    cc_cwnd_min: 1000,
    cc_ss_max: 10_000,
    cc_cwnd_max: 10_000,
    cc_sscap_exit: 10_000,
    cc_vegas_alpha_exit: 1000,
    cc_vegas_beta_exit: 1000,
    cc_vegas_gamma_exit: 1000,
    cc_vegas_delta_exit: 1000,
    orconn_high: 1_048_576,
    orconn_low: 524_288,
    cellq_high: 4000,
    cellq_low: 1000,
  },
  options: ['Schedulers Vanilla'],
  noDelay: true,
  windows: { bulkBytes: 2 * 1024 * 1024, loadBytes: 512 * 1024 },
};

/** One instance of Tor. */
export interface TorInstance {
  readonly nickname: string;
  readonly folder: string;
  readonly host: string;
}

/** The authority as all others know it. */
export interface TorAuthority {
  readonly host: string;
  readonly orPort: number;
  readonly dirPort: number;
  /** Hash of its signing identity. */
  readonly v3Identity: string;
  /** Hash of its relay identity. */
  readonly fingerprint: string;
}

function common({ nickname, folder }: TorInstance, authority: TorAuthority, { options }: TorTuning): string {
  const { host, orPort, dirPort, v3Identity, fingerprint } = authority;
  return `TestingTorNetwork 1
Nickname ${nickname}
DataDirectory ${folder}
RunAsDaemon 0
ShutdownWaitLength 0
__DisablePredictedCircuits 1
Log notice stdout
DirAuthority authority orport=${orPort} no-v2 v3ident=${v3Identity} ${host}:${dirPort} ${fingerprint}
${options.map((line) => `${line}\n`).join('')}`;
}

export function authorityConfiguration(instance: TorInstance, authority: TorAuthority, tuning: TorTuning): string {
  const params = Object.entries(tuning.consensusParams).map(([name, value]) => `${name}=${value}`);
  return `${common(instance, authority, tuning)}Address ${instance.host}
OrPort ${instance.host}:${authority.orPort}
DirPort ${instance.host}:${authority.dirPort}
SocksPort 0
AssumeReachable 1
ExitRelay 0
ContactInfo nobody@example.invalid
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
TestingV3AuthInitialVotingInterval ${VOTING_INTERVAL_SECONDS} seconds
TestingV3AuthInitialVoteDelay ${VOTE_DELAY_SECONDS} seconds
TestingV3AuthInitialDistDelay ${VOTE_DELAY_SECONDS} seconds
V3AuthVotingInterval ${VOTING_INTERVAL_SECONDS} seconds
V3AuthVoteDelay ${VOTE_DELAY_SECONDS} seconds
V3AuthDistDelay ${VOTE_DELAY_SECONDS} seconds
TestingDirAuthVoteGuard *
TestingDirAuthVoteExit *
TestingMinExitFlagThreshold 0
${params.length === 0 ? '' : `ConsensusParams ${params.join(' ')}\n`}`;
}

/** A relay that is an exit to loopback, too. */
export function relayConfiguration(instance: TorInstance, orPort: number, authority: TorAuthority, tuning: TorTuning): string {
  return `${common(instance, authority, tuning)}Address ${instance.host}
OrPort ${instance.host}:${orPort}
SocksPort 0
DirCache 0
AssumeReachable 1
ExitRelay 1
ExitPolicyRejectPrivate 0
ExitPolicy accept 127.0.0.0/8:*
ExitPolicy reject *:*
`;
}

/** A client whose circuits and streams are in the hands of a controller. */
export function clientConfiguration(
  instance: TorInstance,
  { socksPort, controlPort }: { readonly socksPort: number; readonly controlPort: number },
  authority: TorAuthority,
  tuning: TorTuning,
): string {
  return `${common(instance, authority, tuning)}SocksPort ${instance.host}:${socksPort}
ControlPort ${instance.host}:${controlPort}
CookieAuthentication 0
UseEntryGuards 0
__LeaveStreamsUnattached 1
LearnCircuitBuildTimeout 0
CircuitBuildTimeout 60
MaxCircuitDirtiness 1 day
`;
}

/** Nicknames of the relays that a consensus says are running (dir-spec §3.4.1). */
export function runningRelays(consensus: string): readonly string[] {
  return [...consensus.matchAll(/^r (\S+) [^]*?^s (.*)$/gm)]
    .filter(([, , flags]) => flags?.split(' ').includes('Running'))
    .map(([, nickname]) => nickname as string);
}
