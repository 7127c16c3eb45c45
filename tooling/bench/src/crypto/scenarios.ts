import type { Counterpart, Scenario, Setup } from '../scenario.ts';
import { withCpu } from '../workloads.ts';
import type { CryptoPeerCommands } from './crypto-peer.ts';
import type { ProviderName, SealedBy, SuiteName } from './sealed-by.ts';

/** From a short message to the longest record of a session. */
const LENGTHS = [64, 256, 1024, 4096, 16_384, 63 * 1024];
/** Nothing is in flight here: a part of a round is enough for a steady figure. */
const ROUND_SHARE = 0.1;

function sealing(job: SealedBy): Setup {
  return async ({ shared }) => {
    // One process for all of them: each starts from warm code, whichever was measured before.
    const { group, peer } = await shared.get('crypto', (own) =>
      Promise.resolve({ group: own, peer: own.start<CryptoPeerCommands>('crypto', new URL('crypto-peer.ts', import.meta.url)) }),
    );
    return {
      group,
      measure: (durationMs) =>
        withCpu(group, async () => {
          const { operations, seconds } = await peer.callFor(durationMs, 'run', job, durationMs * ROUND_SHARE);
          const bytes = operations * job.length;
          return { value: bytes / 1e6 / seconds, seconds, bytes, details: { microsecondsPerRecord: (seconds * 1e6) / operations } };
        }),
    };
  };
}

function row(suite: SuiteName, operation: SealedBy['operation'], length: number): Scenario {
  const by = (name: ProviderName): Counterpart => ({ name, setup: sealing({ name, suite, operation, length }) });
  // Only one of the suites is in both libraries.
  const libraries = suite === 'chacha20poly1305' ? [by('sodium'), by('openssl')] : [];
  return {
    id: `crypto/${suite}-${operation}-${length}`,
    unit: 'MB/s',
    better: 'higher',
    summary: `${operation} records of ${length} bytes, native provider beside others`,
    ours: by('native').setup,
    counterparts: [by('portable'), ...libraries],
    alone: false,
  };
}

/** Every suite, operation and record size with every provider: so that the choice of provider can be judged. */
export const CRYPTO_SCENARIOS: readonly Scenario[] = (['chacha20poly1305', 'aes256gcm'] as const).flatMap((suite) =>
  (['seal', 'open'] as const).flatMap((operation) => LENGTHS.map((length) => row(suite, operation, length))),
);
