import type { Scenario } from './scenario.ts';
import { circuit } from './scenarios/circuit.ts';
import { relay } from './scenarios/relay.ts';
import { resume } from './scenarios/resume.ts';
import { streams } from './scenarios/streams.ts';

/** Everything that can be explored. */
export const SCENARIOS: readonly Scenario[] = [streams, resume, relay, circuit];
