import { parseArgs } from 'node:util';
import { parseBytes } from './quantities.ts';

/** Below this, one outage would follow the other until the connection gives up for good. */
const MIN_BYTES_PER_KILL = 64 * 1024;
const MAX_BYTES = 2 ** 40;
const MAX_KILLS = 100_000;
/** Below this, a transfer over relays might be over before all were killed that should be. */
const MIN_BYTES_PER_RELAY_KILL = 16 * 2 ** 20;
/** Each is a process more. */
const MAX_RELAY_KILLS = 20;
const MAX_STREAMS = 100;
const MIN_RELAY_MEMORY_BYTES = 64 * 1024;

/** What the command line asks for. */
export type E2eOptions = { readonly scenario: 'help' } | ({ readonly json: boolean } & (ResumeOptions | StressOptions | FailoverOptions));

interface RunOptions {
  /** Everything that can be decided beforehand follows from it. */
  readonly seed: number;
  /** How long nothing may move before it counts as hung, in milliseconds. */
  readonly patienceMs: number;
}

export interface ResumeOptions extends RunOptions {
  readonly scenario: 'resume';
  /** From A to B; a sixteenth of it goes the other way meanwhile. */
  readonly bytes: number;
  readonly kills: number;
}

export interface StressOptions extends RunOptions {
  readonly scenario: 'stress';
  /** Over all streams, in both directions together. */
  readonly bytes: number;
  /** On each of the two connections. */
  readonly streams: number;
  readonly relayMemoryBytes: number;
}

export interface FailoverOptions extends RunOptions {
  readonly scenario: 'reroute' | 'circuit-failover';
  /** From A to Z; a sixteenth of it goes the other way meanwhile. */
  readonly bytes: number;
  /** Relays to be killed. */
  readonly kills: number;
}

/** Known scenarios, for messages. */
const SCENARIOS = 'resume, stress, reroute, circuit-failover';

export const HELP_TEXT = `Runs real processes over real sockets, breaks what is between them, and compares every byte.

Usage: pnpm --silent e2e SCENARIO [options]

Scenarios:
  resume              A and B exchange bytes while a proxy between them keeps killing their TCP connection
  stress              A and D exchange bytes through B and C, relayed and telescoped, with little memory at the relays
  reroute             A sends bytes to Z over three hops while the relays between them are killed, one after the other
  circuit-failover    the same over a circuit of four hops, whose relays A chooses

Options:
  --bytes N           how much, such as 64MiB; 64MiB by default for stress (over all streams, in both directions together),
                      1GiB for all others (from the first to the last; a sixteenth of it goes back at the same time)
  --seed N            decides contents, sizes of writes, and when and how connections are killed; at random by default
  --patience SECONDS  how long nothing may move before it counts as hung; 60 by default
  --json              one JSON object on standard output and nothing else:
                      stress {"bytes", "sha256Match", "errors", "seconds"}
                      all others {"bytes", "sha256Match", "kills", "longestPauseMs", "seconds"}
  -h, --help
Of resume:
  --kills N           how often the TCP connection is killed; 50 by default
Of reroute and circuit-failover:
  --kills N           how many relays are killed while they carry the transfer; 3 by default
Of stress:
  --streams N         on each of the two connections; 4 by default
  --relay-memory N    bound of all credit that a relay grants, such as 1MiB; 256KiB by default

Example:
  $ pnpm --silent e2e resume --bytes 64MiB --kills 10 --seed 7

Progress, what went wrong, and what each process used go to standard error. The exit code is 0 where every byte arrived,
nobody saw an error and all was killed that should be; 1 otherwise; 2 for a wrong call; 130 after Ctrl-C.
`;

/**
 * Reads the command line.
 * @param randomSeed - the seed where none is given
 * @throws TypeError, RangeError that says what is wrong with it
 */
export function parseOptions(args: readonly string[], randomSeed: number): E2eOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'bytes': { type: 'string' },
      'seed': { type: 'string' },
      'patience': { type: 'string', default: '60' },
      'kills': { type: 'string' },
      'streams': { type: 'string' },
      'relay-memory': { type: 'string' },
      'json': { type: 'boolean', default: false },
      'help': { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { scenario: 'help' };
  const [scenario, ...more] = positionals;
  if (more.length > 0) throw new TypeError(`one scenario at a time, not also ${more.join(' ')}`);
  const seed = values.seed === undefined ? randomSeed : whole('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER);
  const { json } = values;
  const common = { json, seed, patienceMs: whole('--patience', values.patience, 1, 86_400) * 1000 };
  switch (scenario) {
    case 'resume': {
      refuse(scenario, { '--streams': values.streams, '--relay-memory': values['relay-memory'] });
      const bytes = bytesBetween('--bytes', values.bytes ?? '1GiB', 1, MAX_BYTES);
      const kills = whole('--kills', values.kills ?? '50', 0, MAX_KILLS);
      if (bytes < kills * MIN_BYTES_PER_KILL)
        throw new RangeError(`--bytes ${bytes} is too little for --kills ${kills}: each needs ${MIN_BYTES_PER_KILL}`);
      return { ...common, scenario, bytes, kills };
    }
    case 'stress': {
      refuse(scenario, { '--kills': values.kills });
      const bytes = bytesBetween('--bytes', values.bytes ?? '64MiB', 1, MAX_BYTES);
      const streams = whole('--streams', values.streams ?? '4', 1, MAX_STREAMS);
      const relayMemoryBytes = bytesBetween('--relay-memory', values['relay-memory'] ?? '256KiB', MIN_RELAY_MEMORY_BYTES, MAX_BYTES);
      return { ...common, scenario, bytes, streams, relayMemoryBytes };
    }
    case 'reroute':
    case 'circuit-failover': {
      refuse(scenario, { '--streams': values.streams, '--relay-memory': values['relay-memory'] });
      const bytes = bytesBetween('--bytes', values.bytes ?? '1GiB', 1, MAX_BYTES);
      const kills = whole('--kills', values.kills ?? '3', 0, MAX_RELAY_KILLS);
      if (bytes < kills * MIN_BYTES_PER_RELAY_KILL)
        throw new RangeError(`--bytes ${bytes} is too little for --kills ${kills}: each needs ${MIN_BYTES_PER_RELAY_KILL}`);
      return { ...common, scenario, bytes, kills };
    }
    case undefined:
      throw new TypeError(`no scenario is named, known are: ${SCENARIOS}`);
    default:
      throw new RangeError(`there is no scenario ${scenario}, known are: ${SCENARIOS}`);
  }
}

function refuse(scenario: string, options: Readonly<Record<string, string | undefined>>): void {
  for (const [option, value] of Object.entries(options))
    if (value !== undefined) throw new TypeError(`${option} is no option of ${scenario}`);
}

function bytesBetween(option: string, text: string, min: number, max: number): number {
  const bytes = parseBytes(option, text);
  if (bytes < min || bytes > max) throw new RangeError(`${option} takes ${min} to ${max} bytes, not ${text}`);
  return bytes;
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new RangeError(`${option} takes a whole number from ${min} to ${max}, not ${text}`);
  return value;
}
