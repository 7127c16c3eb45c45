import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { type Finding, fail, ok, warn } from './check.ts';

/** No machine that runs this is from before; a clock that says so was never set. */
const EARLIEST_MS: number = Date.UTC(2025, 0, 1);
/** Relay requests and descriptors are good for the hour they are made in, and the ones beside it. */
const MAX_OFFSET_MS: number = 20 * 60_000;
const ANSWER_TIMEOUT_MS = 3_000;
/** From 1900 to 1970, in seconds. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const NTP_LENGTH = 48;
const NTP_TRANSMIT_TIME_OFFSET = 40;
/** What systemd makes when the clock was set over the network. */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';

/**
 * Whether the clock is right.
 * @param timeServer - asked over SNTP, where somebody has named one: nobody is asked by default
 */
export async function lookAtClock(timeServer: string | undefined): Promise<Finding> {
  const time = new Date().toISOString();
  if (Date.now() < EARLIEST_MS) return fail('clock', `it says ${time}`, 'set the clock: relays refuse requests from another hour');
  if (timeServer !== undefined) return compare(timeServer);
  return existsSync(SYNCHRONIZED)
    ? ok('clock', `${time}, set over the network`)
    : warn(
        'clock',
        `it says ${time}, and nobody has compared it`,
        'compare it, or name a time server: matryoshka doctor --time-server HOST',
      );
}

async function compare(timeServer: string): Promise<Finding> {
  try {
    const offsetMs = await askTimeServer(timeServer);
    const detail = `${Math.abs(offsetMs / 1000).toFixed(1)} s ${offsetMs < 0 ? 'ahead of' : 'behind'} ${timeServer}`;
    return Math.abs(offsetMs) > MAX_OFFSET_MS
      ? fail('clock', detail, 'set the clock: relays refuse requests from another hour')
      : ok('clock', detail);
  } catch (error) {
    return warn('clock', `${timeServer} did not tell the time: ${(error as Error).message}`, 'name another time server');
  }
}

/** What a time server is ahead of this machine, in milliseconds (RFC 4330). */
function askTimeServer(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => done(() => reject(new Error('no answer'))), ANSWER_TIMEOUT_MS);
    const sentMs = Date.now();
    socket.on('error', (error) => done(() => reject(error)));
    socket.on('message', (answer) => {
      if (answer.length < NTP_LENGTH) return;
      const seconds = answer.readUInt32BE(NTP_TRANSMIT_TIME_OFFSET) - NTP_EPOCH_SECONDS;
      const fraction = answer.readUInt32BE(NTP_TRANSMIT_TIME_OFFSET + 4) / 2 ** 32;
      const middleMs = (sentMs + Date.now()) / 2;
      done(() => resolve((seconds + fraction) * 1000 - middleMs));
    });
    const request = Buffer.alloc(NTP_LENGTH);
    // Version 4, client.
    request[0] = 0x23;
    socket.send(request, 123, host, (error) => {
      if (error !== null) done(() => reject(error));
    });
  });
}
