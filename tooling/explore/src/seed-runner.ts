import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Exploration } from './options.ts';
import { runSeed } from './run-seed.ts';
import type { Outcome } from './scenario.ts';

/** What a worker thread is to do: every `step`-th seed. */
export interface Share {
  readonly scenario: string;
  readonly from: number;
  readonly before: number;
  readonly step: number;
}

/** What a worker thread says. */
export interface SeedOutcome {
  readonly seed: number;
  readonly outcome: Outcome;
}

/** Runs every seed, and tells of each as it is done, in whatever order; ends early when `signal` is aborted. */
export async function runSeeds(
  { scenario, from, seeds, workers }: Exploration,
  signal: AbortSignal,
  done: (result: SeedOutcome) => void,
): Promise<void> {
  if (workers > 1) {
    const shares = Array.from({ length: workers }, (_, i) => ({
      scenario: scenario.name,
      from: from + i,
      before: from + seeds,
      step: workers,
    }));
    await Promise.all(shares.map((share) => runShare(share, signal, done)));
    return;
  }
  for (let seed = from; seed < from + seeds && !signal.aborted; seed++) {
    // One world at a time.
    // oxlint-disable-next-line no-await-in-loop
    done({ seed, outcome: await runSeed(scenario, seed) });
  }
}

async function runShare(share: Share, signal: AbortSignal, done: (result: SeedOutcome) => void): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: share });
  const stop = (): void => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  worker.on('message', done);
  try {
    // Rejects with what the thread fails with.
    await once(worker, 'exit');
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
