import { setTimeout as sleep } from 'node:timers/promises';
import type { MatryoshkaNode } from '@matryoshka/node';
import { reportError } from './describe-error.ts';
import type { Output } from './output.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** Connects to `peer`, and again whenever the connection is lost, waiting longer after each failure. */
export async function keepConnected(node: MatryoshkaNode, peer: string, output: Output, signal: AbortSignal): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      // Each attempt follows from how the one before it ended.
      // oxlint-disable-next-line no-await-in-loop
      const connection = await node.connect(peer, { signal });
      retryMs = FIRST_RETRY_MS;
      // oxlint-disable-next-line no-await-in-loop
      await connection.closed;
    } catch (error) {
      if (signal.aborted) return;
      // Spread out, so that many nodes do not come back in one moment.
      const retryInMs = Math.round(retryMs * (0.75 + Math.random() / 2));
      const report = reportError(error);
      output.event({ event: 'peer-failed', peer, error: report, retryInMs });
      output.note(`cannot connect to ${peer}: ${report.message}; trying again in ${(retryInMs / 1000).toFixed(1)} s`);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(retryInMs, undefined, { signal }).catch(() => {});
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }
}
