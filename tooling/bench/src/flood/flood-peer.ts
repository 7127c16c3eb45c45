import { setTimeout as delay } from 'node:timers/promises';
import { loadNativeProvider } from '@matryoshka/native';
import { InitiatorHandshake, type Random, networkKeyPsk, portableProvider } from '@matryoshka/session';
import { type Link, systemClock } from '@matryoshka/transport';
import { tcp } from '@matryoshka/transport/tcp';
import { serveRole } from '../processes/role.ts';

// An attacker: begins handshakes that are valid as far as anybody can tell, and leaves them there.

/** What the role answers to. */
export interface FloodPeerCommands {
  /**
   * Connects from `localAddress` so many times a second, each with a good first message of a handshake.
   * @returns how many connections were begun
   */
  flood(localAddress: string, host: string, port: number, perSecond: number, durationMs: number): Promise<number>;
}

/** Made beforehand: what is measured is the relay's work, not the attacker's. */
const REQUESTS = 64;
/** Connections that the relay has not closed are given up above this many, oldest first: it is one machine that we share. */
const MAX_OPEN = 2000;
const TICK_MS = 10;

const provider = loadNativeProvider() ?? portableProvider;
const random: Random = { fill: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>) };

function requests(): Uint8Array[] {
  const psk = networkKeyPsk(provider);
  const hour = Math.floor(Date.now() / 3_600_000);
  return Array.from({ length: REQUESTS }, () =>
    new InitiatorHandshake({ provider, random, suite: 'chacha20poly1305', pattern: 'XX', psk, hour }).request(),
  );
}

serveRole<FloodPeerCommands>({
  async flood(localAddress, host, port, perSecond, durationMs) {
    const transport = tcp({ localAddress, connectTimeoutMs: 2000 })({ clock: systemClock, random, provider });
    const made = requests();
    const open = new Set<Link>();
    let begun = 0;
    const begin = (): void => {
      const first = made[begun++ % REQUESTS] as Uint8Array;
      transport.dial({ transport: 'tcp', host, port }, first, {}).then(
        (link) => {
          open.add(link);
          const closed = (): void => void open.delete(link);
          link.attach({ message() {}, written() {}, writable() {}, stalled() {}, flowing() {}, closed });
          const [oldest] = open;
          if (open.size > MAX_OPEN) oldest?.close();
        },
        // Refused: so much the better for the relay.
        () => {},
      );
    };
    const begunAt = performance.now();
    for (let passed = 0; passed < durationMs; passed = performance.now() - begunAt) {
      while (begun < (passed / 1000) * perSecond) begin();
      // oxlint-disable-next-line no-await-in-loop
      await delay(TICK_MS);
    }
    for (const link of open) link.close();
    return begun;
  },
});
