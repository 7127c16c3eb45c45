import { parentPort, workerData } from 'node:worker_threads';
import { runSeed } from './run-seed.ts';
import { SCENARIOS } from './scenarios.ts';
import type { SeedOutcome, Share } from './seed-runner.ts';

// One thread of an exploration: its share of the seeds, one world after the other.

const { scenario: name, from, before, step } = workerData as Share;
const scenario = SCENARIOS.find((candidate) => candidate.name === name);
if (scenario === undefined || parentPort === null) throw new TypeError(`this is a thread of an exploration of ${name}, which is unknown`);

for (let seed = from; seed < before; seed += step) {
  const result: SeedOutcome = { seed, outcome: await runSeed(scenario, seed) };
  parentPort.postMessage(result);
}
