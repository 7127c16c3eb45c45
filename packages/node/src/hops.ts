import { MAX_HOPS } from '@matryoshka/relay';
import { type Random, randomBetween } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import type { HopRange } from './connect-options.ts';

/** Hops as they were asked for, as a range that has been checked (R2). @throws MatryoshkaError `relay.hops-invalid` */
export function hopRange(hops: number | HopRange): HopRange {
  const range = typeof hops === 'object' ? hops : { min: hops, max: hops };
  for (const end of [range.min, range.max]) if (!Number.isInteger(end) || end < 1 || end > MAX_HOPS) throw hopsInvalid(end);
  if (range.min > range.max)
    throw new MatryoshkaError('relay.hops-invalid', `hops from ${range.min} to ${range.max}: the least is above the most`);
  return range;
}

/** Draws as many hops as a connection gets. @throws MatryoshkaError `relay.hops-invalid` */
export function drawHops(hops: number | HopRange, random: Random): number {
  const { min, max } = hopRange(hops);
  return min === max ? min : randomBetween(random, min, max);
}

export function hopsInvalid(hops: number): MatryoshkaError {
  return new MatryoshkaError('relay.hops-invalid', `hops must be a whole number from 1 to ${MAX_HOPS}, not ${hops}`);
}
