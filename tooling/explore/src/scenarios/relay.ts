import { playRelays } from '../relay/relay-play.ts';
import { drawRelayPlan } from '../relay/relay-plan.ts';
import type { Scenario } from '../scenario.ts';

/** Networks of any shape in which relays choose, break and cheat: and nobody else suffers from it. */
export const relay: Scenario = {
  name: 'relay',
  about: '5 to 40 nodes of any topology, relayed and telescoped requests, crashes, cuts, relays switched off, nodes that misbehave',
  run: (seed) => playRelays(drawRelayPlan(seed)),
};
