import { exclusion, exclusionIpv6 } from './scenarios/exclusion.ts';
import { families } from './scenarios/families.ts';
import { home } from './scenarios/home.ts';
import { nat } from './scenarios/nat.ts';
import { silent } from './scenarios/silent.ts';
import { tables } from './scenarios/tables.ts';
import { vanish } from './scenarios/vanish.ts';
import type { Scenario } from './stage.ts';

/** All that can be played, in their order. */
export const SCENARIOS: readonly Scenario[] = [tables, exclusion, exclusionIpv6, families, nat, vanish, silent, home];
