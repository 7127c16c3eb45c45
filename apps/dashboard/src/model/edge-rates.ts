import type { MapEdge, Purpose } from './map.ts';
import type { RateMeter } from './rates.ts';

/** Bytes per second on an edge that are of this purpose: from source to target, and back. */
export function edgeRates(meter: Pick<RateMeter, 'rate'>, edge: MapEdge, purpose: Purpose): readonly [number, number] {
  const sum = (of: Purpose): [number, number] => {
    let [forward, backward] = [0, 0];
    for (const { purpose: each, counters, along } of edge.flows) {
      if (each !== of) continue;
      const { sent, received } = meter.rate(counters);
      forward += along ? sent : received;
      backward += along ? received : sent;
    }
    return [forward, backward];
  };
  const [forward, backward] = sum(purpose);
  if (purpose !== 'own') return [forward, backward];
  // What is forwarded runs inside of the connection, and is counted there as well.
  const [forwardedForward, forwardedBackward] = sum('forwarded');
  return [Math.max(0, forward - forwardedForward), Math.max(0, backward - forwardedBackward)];
}
