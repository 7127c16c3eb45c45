import { buildPageIfNeeded } from '../src/demo/stay/page-build.ts';

/** Builds the dashboard before files that show it run at once, so that no two of them build it. */
export function setup(): Promise<void> {
  return buildPageIfNeeded(() => {}, AbortSignal.timeout(60_000));
}
