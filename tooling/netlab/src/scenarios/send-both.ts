import { runTransfers } from '@matryoshka/e2e';
import type { Member } from '../cast/cast.ts';
import type { Stage } from '../stage.ts';

const BYTES = 256 * 1024;
let streams = 0;

/** Sends known bytes both ways over a connection of `from`; returns what was wrong. */
export async function sendBoth(stage: Stage, from: Member, to: Member, connectionId: string): Promise<readonly string[]> {
  const number = ++streams;
  const common = { forwardBytes: BYTES, backwardBytes: BYTES, seed: number, pauseChance: 0 };
  const [outcome] = await runTransfers(stage.cast.crew, [
    { ...common, name: `stream ${number}`, opener: from.worker, acceptor: to.worker, connectionId },
  ]);
  return outcome?.faults ?? ['there is no outcome'];
}
