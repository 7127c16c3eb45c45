import type { TrafficSettings } from '@matryoshka/peer';
import type { SuiteName } from '@matryoshka/wire';

/** Chooses the AEAD of a session that is opened, whose traffic looks so. */
export type SuiteChoice = (traffic: TrafficSettings | undefined) => SuiteName;

/**
 * The suite that was named, otherwise the one that is faster on this machine; where all records have one length the same
 * on every machine, so that it tells nobody which kind of processor this is: that is the faster one for short records, too.
 */
export function suiteChoice(named: SuiteName | undefined, preferred: SuiteName, byDefault: () => TrafficSettings): SuiteChoice {
  return (traffic) => named ?? ((traffic ?? byDefault()).padding.kind === 'constant' ? 'chacha20poly1305' : preferred);
}
