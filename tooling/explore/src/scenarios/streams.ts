import { play } from '../play/play.ts';
import { drawPlan } from '../play/plan.ts';
import type { Scenario } from '../scenario.ts';

/** Nothing breaks: whatever goes wrong is our own doing. */
export const streams: Scenario = {
  name: 'streams',
  about: '2 to 5 nodes, random streams over direct, relayed and telescoped connections, slow and jittery links, no faults',
  run: (seed) => play(drawPlan(seed, { maxFaults: 0 }), { watchBlocks: false }),
};
