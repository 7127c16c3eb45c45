import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { identityFromSeed, portableProvider } from '@matryoshka/session';
import type { FailoverOptions } from '../options.ts';
import type { Play } from '../play.ts';
import type { Crew } from '../processes/crew.ts';
import { FailoverPlay, type FailoverResult, type FailoverShape } from './failover.ts';

/** The last of them is Z. */
const HOPS = 4;
const RELAYS = 12;
/** Relays that are left when all were killed that should be: enough for a path, and for those that are passed over. */
const SPARE_RELAYS = 8;
const KNOWN_WITHIN_MS = 20_000;
const LOOK_INTERVAL_MS = 20;

/** A chooses the relays: a circuit to Z over four hops, from the descriptors that the relays give it. */
export function startCircuitFailover(options: FailoverOptions, crew: Crew): Play<FailoverResult> {
  // Relays give descriptors to those only whom they know: A has to be the one that they were told of.
  const seed = createHash('sha256').update(`${options.seed} A`).digest();
  const { peerId } = identityFromSeed(portableProvider, seed);
  const shape: FailoverShape = {
    relaysOnPath: HOPS - 1,
    relays: Math.max(RELAYS, options.kills + SPARE_RELAYS),
    planOfA: { identity: seed.toString('hex') },
    planOfRelay: { directory: { exchangeWith: [peerId] } },
    async connect(a, z, relays) {
      await Promise.all(relays.map(({ address }) => a.call('befriend', address)));
      const deadline = performance.now() + KNOWN_WITHIN_MS;
      // oxlint-disable-next-line no-await-in-loop
      for (let known = 0; known < relays.length; known = await a.call('knownRelays')) {
        if (performance.now() > deadline) throw new Error(`A has the descriptors of ${known} of ${relays.length} relays only`);
        // oxlint-disable-next-line no-await-in-loop
        await delay(LOOK_INTERVAL_MS);
      }
      const { id } = await a.call('connect', z, { circuit: { hops: HOPS } });
      return id;
    },
  };
  return new FailoverPlay(options, shape, crew);
}
