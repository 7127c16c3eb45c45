import { explore } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';

const interruption = new AbortController();
// The second one ends it the hard way.
process.once('SIGINT', () => interruption.abort());
process.once('SIGTERM', () => interruption.abort());

process.exitCode = await explore(process.argv.slice(2), {
  scenarios: SCENARIOS,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interruption.signal,
});
