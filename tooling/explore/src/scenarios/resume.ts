import { play } from '../play/play.ts';
import { drawPlan } from '../play/plan.ts';
import type { Scenario } from '../scenario.ts';

/** Most faults of one world. */
const MAX_FAULTS = 4;

/**
 * Links are cut at any byte, die without a word, relays crash and start again, the network splits: and every byte still
 * arrives, in order, exactly once.
 */
export const resume: Scenario = {
  name: 'resume',
  about: 'the same with up to 4 faults a world: cuts at any byte, half-open links, crashes and restarts of relays, partitions',
  run: (seed) => play(drawPlan(seed, { maxFaults: MAX_FAULTS }), { watchBlocks: true }),
};
