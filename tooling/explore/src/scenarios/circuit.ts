import { playRelays } from '../relay/relay-play.ts';
import { drawRelayPlan } from '../relay/relay-plan.ts';
import type { Scenario } from '../scenario.ts';

/** Circuits over relays that the originator chooses, some of which cheat, crash or are not who they should be. */
export const circuit: Scenario = {
  name: 'circuit',
  about: '10 to 16 nodes, circuits of 2 to 5 hops over chosen relays, crashes, cuts, and hops that are hostile',
  run: (seed) => playRelays(drawRelayPlan(seed, 'circuits')),
};
