import type { FailoverOptions } from '../options.ts';
import type { Play } from '../play.ts';
import type { Crew } from '../processes/crew.ts';
import { FailoverPlay, type FailoverResult, type FailoverShape } from './failover.ts';

const HOPS = 3;
/** Relays besides those that are killed. */
const SPARE_RELAYS = 4;
/** So many of them A is connected to from the beginning. */
const GATEWAYS = 3;

/** Relays choose the next ones: A to Z over three hops (R13). */
export function startReroute(options: FailoverOptions, crew: Crew): Play<FailoverResult> {
  const shape: FailoverShape = {
    relaysOnPath: HOPS - 1,
    relays: options.kills + SPARE_RELAYS,
    async connect(a, z, relays) {
      await Promise.all(relays.slice(0, GATEWAYS).map(({ address }) => a.call('befriend', address)));
      const { id } = await a.call('connect', z, { hops: HOPS });
      return id;
    },
  };
  return new FailoverPlay(options, shape, crew);
}
