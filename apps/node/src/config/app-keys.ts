import { isIP } from 'node:net';
import { join } from 'node:path';
import { parseEndpoint, parsePeerId } from '@matryoshka/node';
import * as z from 'zod';
import { type ConfigKey, appKey, flag, oneOf, parsed, text, whole } from './config-key.ts';

/** What the daemon is told beside the options of its node. */

export const IDENTITY_FILE: ConfigKey<string> = appKey(
  'identityFile',
  text,
  ({ data }) => join(data, 'identity.key'),
  'File of the identity; made if missing, refused where others can read it.',
);

export const NETWORK_KEY_FILE: ConfigKey<string> = appKey(
  'networkKeyFile',
  text,
  ({ data }) => join(data, 'network.key'),
  'File of the key of a closed network. The one in the data folder may be missing: the network is then an open one.',
);

export const DIAL_FROM: ConfigKey<string | undefined> = appKey(
  'dialFrom',
  parsed((value) => {
    if (isIP(value) === 0) throw new TypeError('must be an IP address');
  }).optional(),
  () => undefined,
  'Local IP address that connections are made from.',
);

export const FILES_INTO: ConfigKey<string | undefined> = appKey(
  'files.into',
  text.optional(),
  () => undefined,
  'Folder that files of others are received into; none is received without it.',
  { live: true },
);

export const FILES_FROM: ConfigKey<string[]> = appKey(
  'files.from',
  z.array(parsed(parsePeerId), 'must be a list of peer ids'),
  () => [],
  'Peers that files are taken from; empty: all that may connect.',
  { live: true },
);

export const CONTROL_SOCKET: ConfigKey<string> = appKey(
  'control.socket',
  text,
  ({ data }) => join(data, 'control.sock'),
  'Local socket of the control API, for the owner of the process only.',
);

export const CONTROL_LISTEN: ConfigKey<string | undefined> = appKey(
  'control.listen',
  parsed(checkLoopback).optional(),
  () => undefined,
  'Loopback address and port that the control API listens on too; whoever asks there needs the token.',
);

export const CONTROL_TOKEN_FILE: ConfigKey<string> = appKey(
  'control.tokenFile',
  text,
  ({ data }) => join(data, 'control.token'),
  'File of the token of the control API; made if missing, refused where others can read it.',
);

export const DRAIN_MS: ConfigKey<number> = appKey(
  'drainMs',
  whole(0, 600_000),
  () => 5_000,
  'How long a stop waits for what is in progress, in milliseconds.',
  { live: true },
);

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export const LOG_LEVEL: ConfigKey<(typeof LOG_LEVELS)[number]> = appKey(
  'log.level',
  oneOf(LOG_LEVELS),
  () => 'info',
  'Least important lines that are logged. Addresses and ids of others are in those of debug and trace only.',
  { live: true },
);

export const LOG_FORMAT: ConfigKey<'auto' | 'json' | 'text'> = appKey(
  'log.format',
  oneOf(['auto', 'json', 'text']),
  () => 'auto',
  'How lines are logged on standard error; auto: text on a terminal, JSON elsewhere.',
);

export const LOG_TIME: ConfigKey<boolean> = appKey(
  'log.time',
  flag,
  () => true,
  'Whether lines of text begin with the time; a journal has its own.',
);

function checkLoopback(value: string): void {
  const { host, transport, relayPort } = parseEndpoint(value);
  if (transport !== 'tcp' || relayPort !== undefined || !(host === '::1' || host.startsWith('127.')))
    throw new TypeError('must be a loopback address and a port, as 127.0.0.1:7878 or [::1]:7878');
}

export const APP_KEYS: readonly ConfigKey[] = [
  IDENTITY_FILE,
  NETWORK_KEY_FILE,
  DIAL_FROM,
  FILES_INTO,
  FILES_FROM,
  CONTROL_SOCKET,
  CONTROL_LISTEN,
  CONTROL_TOKEN_FILE,
  DRAIN_MS,
  LOG_LEVEL,
  LOG_FORMAT,
  LOG_TIME,
] as readonly ConfigKey[];
